package dev.caravan.worker.tensor;

import java.lang.foreign.MemorySegment;

/**
 * Q6_K: tiles of one super-block of 256 columns, 3392 bytes: {@code [16 floats d][4 lines of
 * scales][16 sub-blocks of 3 lines]}.
 *
 * <p>Line i of the scales holds the int8 scales of the sub-blocks 4i .. 4i + 3 (16 columns each) as
 * bytes of a row's int. In the lines of a sub-block the low halves of the ints belong to its
 * columns 0 .. 7, the high halves to 8 .. 15, so that a kernel sums no more than eight products in
 * 16 bits. Halves from the lowest bit on, u2 being the weight of column 2 and so on: {@code u0 (6),
 * u1 (6), u2 (low 4)}; {@code u3 (6), u4 (6), u5 (low 4)}; {@code u6 (6), u7 (6), u2 (high 2), u5
 * (high 2)}. The offset is 32. d is f16 in the file, see {@link Q4KLayout}. A sub-block's scale is
 * d * scale, exact in f32. About 1.01 times the bytes of the file. Immutable.
 */
public final class Q6KLayout implements WeightLayout {
  /** Bytes of a tile. */
  public static final int TILE_BYTES = 3392;

  /** From the start of a tile to its scales. */
  public static final int SCALES_OFFSET = LINE_BYTES;

  /** From the start of a tile to its first block. */
  public static final int BLOCKS_OFFSET = 5 * LINE_BYTES;

  /** Bytes of a block of 32 columns. */
  public static final int BLOCK_BYTES = 6 * LINE_BYTES;

  /** Bytes of a sub-block of 16 columns. */
  public static final int SUB_BLOCK_BYTES = 3 * LINE_BYTES;

  static final Q6KLayout INSTANCE = new Q6KLayout();

  private static final int TILE_COLUMNS = 256;
  private static final int SUB_BLOCK_COLUMNS = 16;
  private static final int FILE_BYTES = 210;
  private static final int FILE_HIGH_BITS = 128;
  private static final int FILE_SCALES = 192;
  private static final int FILE_D = 208;
  private static final int ZERO_QUANT = 32;

  private Q6KLayout() {}

  @Override
  public long groupBytes(int columns) {
    return (long) Math.ceilDiv(columns, TILE_COLUMNS) * TILE_BYTES;
  }

  @Override
  public int sumColumns() {
    return SUB_BLOCK_COLUMNS;
  }

  @Override
  public int pack(MemorySegment row, int columns, MemorySegment group, int lane) {
    int notFinite = -1;
    for (int tile = 0; tile < columns / TILE_COLUMNS; tile++) {
      long source = (long) tile * FILE_BYTES;
      short d = Bits.fileShort(row, source + FILE_D);
      if (!Bits.isFiniteF16(d) && notFinite < 0) {
        notFinite = tile * TILE_COLUMNS;
      }
      long target = (long) tile * TILE_BYTES + 4L * lane;
      Bits.putFloat(group, target, Float.float16ToFloat(d));
      for (int line = 0; line < 4; line++) {
        int scales = Bits.fileInt(row, source + FILE_SCALES + 4L * line);
        Bits.putInt(group, target + SCALES_OFFSET + line * LINE_BYTES, scales);
      }
      for (int sub = 0; sub < 16; sub++) {
        long lines = target + BLOCKS_OFFSET + (long) sub * SUB_BLOCK_BYTES;
        packSubBlock(row, source, sub, group, lines);
      }
    }
    return notFinite;
  }

  @Override
  public float quant(MemorySegment group, int lane, int column) {
    int subBlock = column % TILE_COLUMNS / SUB_BLOCK_COLUMNS;
    long lines = tile(column, lane) + BLOCKS_OFFSET + (long) subBlock * SUB_BLOCK_BYTES;
    int half = 16 * (column / 8 % 2);
    int in = column % 8;
    int fields = Bits.getInt(group, lines + (in / 3) * LINE_BYTES) >> half;
    if (in % 3 < 2) {
      return (fields >> (6 * (in % 3)) & 63) - ZERO_QUANT;
    }
    int high = Bits.getInt(group, lines + 2 * LINE_BYTES) >> (half + (in == 2 ? 12 : 14)) & 3;
    return (fields >> 12 & 15 | high << 4) - ZERO_QUANT;
  }

  @Override
  public float scale(MemorySegment group, int lane, int column) {
    int subBlock = column % TILE_COLUMNS / SUB_BLOCK_COLUMNS;
    long tile = tile(column, lane);
    int word = Bits.getInt(group, tile + SCALES_OFFSET + (subBlock / 4) * LINE_BYTES);
    return Bits.getFloat(group, tile) * (byte) (word >> (8 * (subBlock % 4)));
  }

  private static long tile(int column, int lane) {
    return (long) (column / TILE_COLUMNS) * TILE_BYTES + 4L * lane;
  }

  private static void packSubBlock(
      MemorySegment row, long source, int subBlock, MemorySegment group, long target) {
    for (int eight = 0; eight < 2; eight++) {
      int first = 16 * (subBlock & 1) + 8 * eight;
      int block = subBlock / 2;
      int u2 = fileQuant(row, source, block, first + 2);
      int u5 = fileQuant(row, source, block, first + 5);
      for (int line = 0; line < 3; line++) {
        int top = line == 0 ? u2 & 15 : line == 1 ? u5 & 15 : u2 >> 4 | u5 >> 4 << 2;
        int fields =
            fileQuant(row, source, block, first + 3 * line)
                | fileQuant(row, source, block, first + 3 * line + 1) << 6
                | top << 12;
        Bits.orInt(group, target + line * LINE_BYTES, fields << (16 * eight));
      }
    }
  }

  /** Returns the six bits of a column of a block of 32. */
  private static int fileQuant(MemorySegment row, long source, int block, int column) {
    int half = block / 4;
    int quarter = block % 4;
    int low = Bits.unsignedByte(row, source + 64L * half + 32L * (quarter & 1) + column);
    int high = Bits.unsignedByte(row, source + FILE_HIGH_BITS + 32L * half + column);
    return low >> (quarter >> 1 << 2) & 15 | (high >> (2 * quarter) & 3) << 4;
  }
}
