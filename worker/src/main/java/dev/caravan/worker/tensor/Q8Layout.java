package dev.caravan.worker.tensor;

import java.lang.foreign.MemorySegment;

/**
 * Q8_0: tiles of two blocks, 1088 bytes: {@code [16 ints: f16 scale of block 0 low, of block 1
 * high][8 lines of block 0][8 lines of block 1]}. A line holds four columns: byte j of int lane i
 * is column 4 * line + j of row i. An odd last block leaves half a tile zero. Immutable.
 */
public final class Q8Layout implements WeightLayout {
  /** Bytes of a tile. */
  public static final int TILE_BYTES = 1088;

  /** From the start of a tile to its first line. */
  public static final int LINES_OFFSET = 64;

  /** Bytes of the lines of a block. */
  public static final int BLOCK_LINES_BYTES = 8 * LINE_BYTES;

  static final Q8Layout INSTANCE = new Q8Layout();

  private static final int FILE_BLOCK_BYTES = 34;

  private Q8Layout() {}

  @Override
  public long groupBytes(int columns) {
    return (long) Math.ceilDiv(WeightLayout.blocks(columns), 2) * TILE_BYTES;
  }

  @Override
  public int pack(MemorySegment row, int columns, MemorySegment group, int lane) {
    int notFinite = -1;
    for (int block = 0; block < columns / BLOCK_COLUMNS; block++) {
      long source = (long) block * FILE_BLOCK_BYTES;
      short scale = Bits.fileShort(row, source);
      if (!Bits.isFiniteF16(scale) && notFinite < 0) {
        notFinite = block * BLOCK_COLUMNS;
      }
      Bits.putShort(group, scaleOffset(block, lane), scale);
      long lines = linesOffset(block) + 4L * lane;
      for (int line = 0; line < 8; line++) {
        Bits.putInt(group, lines + line * LINE_BYTES, Bits.fileInt(row, source + 2 + 4L * line));
      }
    }
    return notFinite;
  }

  @Override
  public float quant(MemorySegment group, int lane, int column) {
    int in = column % BLOCK_COLUMNS;
    long offset = linesOffset(column / BLOCK_COLUMNS) + (in / 4) * LINE_BYTES + 4L * lane;
    return (byte) (Bits.getInt(group, offset) >> (8 * (in % 4)));
  }

  @Override
  public float scale(MemorySegment group, int lane, int column) {
    return Bits.half(group, scaleOffset(column / BLOCK_COLUMNS, lane));
  }

  private static long scaleOffset(int block, int lane) {
    return (long) (block >> 1) * TILE_BYTES + 4L * lane + 2L * (block & 1);
  }

  private static long linesOffset(int block) {
    return (long) (block >> 1) * TILE_BYTES + LINES_OFFSET + (block & 1) * BLOCK_LINES_BYTES;
  }
}
