package dev.caravan.worker.kernel;

import dev.caravan.model.checkpoint.DType;
import dev.caravan.worker.tensor.WeightMatrix;
import dev.caravan.worker.tensor.WeightPacker;
import dev.caravan.worker.tensor.WeightSlice;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;

/** Random matrices as checkpoints store them, and what their numbers are in double precision. */
public final class RandomWeights {
  private final DType dtype;
  private final int rows;
  private final int columns;
  private final ByteBuffer bytes;

  /** Makes a matrix; scales reach from subnormal half floats to {@code largest}. */
  public RandomWeights(DType dtype, int rows, int columns, float largest, Random random) {
    this.dtype = dtype;
    this.rows = rows;
    this.columns = columns;
    byte[] content = new byte[Math.toIntExact(rows * dtype.bytes(columns))];
    random.nextBytes(content);
    this.bytes = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
    int blocks = content.length / dtype.blockBytes();
    for (int i = 0; i < blocks; i++) {
      int at = i * dtype.blockBytes();
      switch (dtype) {
        case F32 -> bytes.putFloat(at, (float) random.nextGaussian() * largest);
        case F16 -> bytes.putShort(at, half((float) random.nextGaussian() * largest / 8, random));
        case BF16 ->
            bytes.putShort(
                at, (short) (Float.floatToIntBits((float) random.nextGaussian() * largest) >>> 16));
        case Q8_0, Q4_0 -> bytes.putShort(at, half(random.nextFloat() * largest, random));
        case Q4_K, Q5_K -> {
          bytes.putShort(at, half(random.nextFloat() * largest / 64, random));
          bytes.putShort(at + 2, half(random.nextFloat() * largest / 64, random));
        }
        case Q6_K -> bytes.putShort(at + 208, half(random.nextFloat() * largest / 128, random));
      }
    }
  }

  private static short half(float value, Random random) {
    return switch (random.nextInt(16)) {
      case 0 -> 0;
      case 1 -> (short) (random.nextInt(0x400) | random.nextInt(2) << 15);
      case 2 -> Float.floatToFloat16(-value);
      default -> Float.floatToFloat16(value);
    };
  }

  public WeightSlice slice() {
    return new WeightSlice(
        "random." + dtype,
        dtype,
        rows,
        columns,
        MemorySegment.ofBuffer(bytes),
        dtype.bytes(columns),
        0,
        row -> row);
  }

  public WeightMatrix pack(Arena arena) {
    WeightMatrix matrix = WeightPacker.allocate(arena, dtype, rows, columns);
    WeightPacker.pack(slice(), matrix, 0, matrix.rowGroups());
    return matrix;
  }

  /** A weight as the format defines it. */
  public double weight(int row, int column) {
    int inBlock = column % dtype.blockElements();
    int at =
        Math.toIntExact(
            row * dtype.bytes(columns)
                + (long) (column / dtype.blockElements()) * dtype.blockBytes());
    return switch (dtype) {
      case F32 -> bytes.getFloat(at);
      case F16 -> half(at);
      case BF16 -> Float.intBitsToFloat(bytes.getShort(at) << 16);
      case Q8_0 -> half(at) * bytes.get(at + 2 + inBlock);
      case Q4_0 -> {
        int two = bytes.get(at + 2 + inBlock % 16);
        yield half(at) * ((inBlock < 16 ? two & 15 : two >> 4 & 15) - 8);
      }
      case Q4_K, Q5_K -> k45(at, inBlock);
      case Q6_K -> k6(at, inBlock);
    };
  }

  private double k45(int at, int element) {
    int sub = element / 32;
    boolean five = dtype == DType.Q5_K;
    int nibbles = at + (five ? 48 : 16) + sub / 2 * 32 + element % 32;
    int q = sub % 2 == 0 ? bytes.get(nibbles) & 15 : bytes.get(nibbles) >> 4 & 15;
    if (five && (bytes.get(at + 16 + element % 32) & 1 << sub) != 0) {
      q += 16;
    }
    int[] s = new int[12];
    for (int i = 0; i < 12; i++) {
      s[i] = bytes.get(at + 4 + i) & 255;
    }
    int scale = sub < 4 ? s[sub] % 64 : s[sub + 4] % 16 + s[sub - 4] / 64 * 16;
    int min = sub < 4 ? s[sub + 4] % 64 : s[sub + 4] / 16 + s[sub] / 64 * 16;
    return half(at) * scale * q - half(at + 2) * min;
  }

  private double k6(int at, int element) {
    int n = element / 128;
    int rest = element % 128;
    int l = rest % 32;
    int low = bytes.get(at + 64 * n + rest % 64) & 255;
    int high = bytes.get(at + 128 + 32 * n + l) & 255;
    int q = (rest < 64 ? low % 16 : low / 16) + (high >> rest / 32 * 2) % 4 * 16 - 32;
    return half(at + 208) * bytes.get(at + 192 + element / 16) * q;
  }

  private double half(int at) {
    return Float.float16ToFloat(bytes.getShort(at));
  }
}
