package dev.caravan.worker.kernel;

import dev.caravan.model.checkpoint.DType;
import dev.caravan.worker.tensor.Activations;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Turns rows as a checkpoint stores them into floats. One row a token: plain Java is enough. */
final class RowDequantiser {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private RowDequantiser() {}

  static void dequantise(DType dtype, MemorySegment row, int columns, Activations out, int outRow) {
    if (row.byteSize() != dtype.bytes(columns) || columns > out.columns()) {
      throw new IllegalArgumentException(
          "%d bytes for %d columns of %s, %d expected, into %d columns"
              .formatted(row.byteSize(), columns, dtype, dtype.bytes(columns), out.columns()));
    }
    int elements = dtype.blockElements();
    for (int column = 0; column < columns; column += elements) {
      long block = (long) (column / elements) * dtype.blockBytes();
      switch (dtype) {
        case F32 -> out.set(outRow, column, Float.intBitsToFloat(row.get(INT, block)));
        case F16 -> out.set(outRow, column, half(row, block));
        case BF16 -> out.set(outRow, column, Float.intBitsToFloat(row.get(SHORT, block) << 16));
        case Q8_0 -> q8(row, block, out, outRow, column);
        case Q4_0 -> q4(row, block, out, outRow, column);
        case Q4_K -> k45(row, block, false, out, outRow, column);
        case Q5_K -> k45(row, block, true, out, outRow, column);
        case Q6_K -> k6(row, block, out, outRow, column);
      }
    }
  }

  private static void q8(MemorySegment row, long block, Activations out, int outRow, int column) {
    float d = half(row, block);
    for (int k = 0; k < 32; k++) {
      out.set(outRow, column + k, d * row.get(ValueLayout.JAVA_BYTE, block + 2 + k));
    }
  }

  private static void q4(MemorySegment row, long block, Activations out, int outRow, int column) {
    float d = half(row, block);
    for (int k = 0; k < 16; k++) {
      int two = unsigned(row, block + 2 + k);
      out.set(outRow, column + k, d * ((two & 15) - 8));
      out.set(outRow, column + k + 16, d * ((two >> 4) - 8));
    }
  }

  private static void k45(
      MemorySegment row, long block, boolean fiveBits, Activations out, int outRow, int column) {
    float d = half(row, block);
    float dmin = half(row, block + 2);
    long nibbles = block + (fiveBits ? 48 : 16);
    for (int sub = 0; sub < 8; sub++) {
      float scale = d * subScale(row, block + 4, sub);
      float min = dmin * subMin(row, block + 4, sub);
      for (int k = 0; k < 32; k++) {
        int q = unsigned(row, nibbles + 32 * (sub / 2) + k) >> (4 * (sub & 1)) & 15;
        if (fiveBits) {
          q |= (unsigned(row, block + 16 + k) >> sub & 1) << 4;
        }
        out.set(outRow, column + 32 * sub + k, scale * q - min);
      }
    }
  }

  private static void k6(MemorySegment row, long block, Activations out, int outRow, int column) {
    float d = half(row, block + 208);
    for (int sub = 0; sub < 8; sub++) {
      int half = sub / 4;
      int quarter = sub % 4;
      for (int k = 0; k < 32; k++) {
        int low = unsigned(row, block + 64 * half + 32 * (quarter & 1) + k) >> (4 * (quarter / 2));
        int high = unsigned(row, block + 128 + 32 * half + k) >> (2 * quarter);
        int q = (low & 15 | (high & 3) << 4) - 32;
        int scale = row.get(ValueLayout.JAVA_BYTE, block + 192 + 2 * sub + k / 16);
        out.set(outRow, column + 32 * sub + k, d * scale * q);
      }
    }
  }

  private static int subScale(MemorySegment row, long scales, int sub) {
    if (sub < 4) {
      return unsigned(row, scales + sub) & 63;
    }
    return unsigned(row, scales + sub + 4) & 15 | unsigned(row, scales + sub - 4) >> 6 << 4;
  }

  private static int subMin(MemorySegment row, long scales, int sub) {
    if (sub < 4) {
      return unsigned(row, scales + sub + 4) & 63;
    }
    return unsigned(row, scales + sub + 4) >> 4 | unsigned(row, scales + sub) >> 6 << 4;
  }

  private static float half(MemorySegment row, long offset) {
    return Float.float16ToFloat(row.get(SHORT, offset));
  }

  private static int unsigned(MemorySegment row, long offset) {
    return row.get(ValueLayout.JAVA_BYTE, offset) & 0xff;
  }
}
