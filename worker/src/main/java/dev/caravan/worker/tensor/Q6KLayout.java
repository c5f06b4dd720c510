package dev.caravan.worker.tensor;

import java.lang.foreign.MemorySegment;

/**
 * Q6_K: tiles of one super-block of 256 columns, 3392 bytes: {@code [16 floats d][4 lines of
 * scales][8 blocks of 4 lines of low nibbles and 2 lines of high bits]}.
 *
 * <p>Line i of the scales holds the int8 scales of the sub-blocks 4i .. 4i + 3 (16 columns each) as
 * bytes of a row's int. Low nibbles lie as in Q4_0; high line h holds columns 16h .. 16h + 15 of
 * the block, two bits each: column 16h + j at bit 4j, column 16h + 8 + j at bit 4j + 2, so that
 * they are read as nibbles. The offset is 32. d is f16 in the file, see {@link Q4KLayout}. A
 * sub-block's scale is d * scale, exact in f32. About 1.01 times the bytes of the file. Immutable.
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

  /** From the start of a block to its high bits. */
  public static final int HIGH_OFFSET = 4 * LINE_BYTES;

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
      for (int block = 0; block < 8; block++) {
        packBlock(row, source, block, group, target + BLOCKS_OFFSET + (long) block * BLOCK_BYTES);
      }
    }
    return notFinite;
  }

  @Override
  public float quant(MemorySegment group, int lane, int column) {
    int in = column % BLOCK_COLUMNS;
    long block =
        tile(column, lane)
            + BLOCKS_OFFSET
            + (long) (column % TILE_COLUMNS / BLOCK_COLUMNS) * BLOCK_BYTES;
    int low = Bits.getInt(group, block + (in / 8) * LINE_BYTES) >> (4 * (in % 8)) & 15;
    int high = Bits.getInt(group, block + HIGH_OFFSET + (in / 16) * LINE_BYTES) >> highBit(in);
    return (low | (high & 3) << 4) - ZERO_QUANT;
  }

  @Override
  public float scale(MemorySegment group, int lane, int column) {
    int subBlock = column % TILE_COLUMNS / SUB_BLOCK_COLUMNS;
    long tile = tile(column, lane);
    int word = Bits.getInt(group, tile + SCALES_OFFSET + (subBlock / 4) * LINE_BYTES);
    return Bits.getFloat(group, tile) * (byte) (word >> (8 * (subBlock % 4)));
  }

  private static int highBit(int column) {
    return 4 * (column % 8) + 2 * (column / 8 % 2);
  }

  private static long tile(int column, int lane) {
    return (long) (column / TILE_COLUMNS) * TILE_BYTES + 4L * lane;
  }

  private static void packBlock(
      MemorySegment row, long source, int block, MemorySegment group, long target) {
    int half = block / 4;
    int quarter = block % 4;
    long low = source + 64L * half + 32L * (quarter & 1);
    for (int line = 0; line < 4; line++) {
      long eightBytes = Bits.fileLong(row, low + 8L * line);
      Bits.putInt(group, target + line * LINE_BYTES, Bits.nibbles(eightBytes, quarter >> 1 << 2));
    }
    long high = source + FILE_HIGH_BITS + 32L * half;
    for (int line = 0; line < 2; line++) {
      int bits = 0;
      for (int k = 0; k < 16; k++) {
        bits |= (Bits.unsignedByte(row, high + 16L * line + k) >> (2 * quarter) & 3) << highBit(k);
      }
      Bits.putInt(group, target + HIGH_OFFSET + line * LINE_BYTES, bits);
    }
  }
}
