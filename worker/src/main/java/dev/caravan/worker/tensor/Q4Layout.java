package dev.caravan.worker.tensor;

import java.lang.foreign.MemorySegment;

/**
 * Q4_0: tiles of two blocks, 576 bytes: {@code [16 ints: f16 scale of block 0 low, of block 1
 * high][4 lines of block 0][4 lines of block 1]}. A line holds eight columns: nibble j (unsigned,
 * offset 8) of int lane i is column 8 * line + j of row i. An odd last block leaves half a tile
 * zero. Immutable.
 */
public final class Q4Layout implements WeightLayout {
  /** Bytes of a tile. */
  public static final int TILE_BYTES = 576;

  /** From the start of a tile to its first line. */
  public static final int LINES_OFFSET = 64;

  /** Bytes of the lines of a block. */
  public static final int BLOCK_LINES_BYTES = 4 * LINE_BYTES;

  static final Q4Layout INSTANCE = new Q4Layout();

  private static final int FILE_BLOCK_BYTES = 18;
  private static final int ZERO_NIBBLE = 8;

  private Q4Layout() {}

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
      // Byte j of the file holds columns j and j + 16.
      long first = Bits.fileLong(row, source + 2);
      long second = Bits.fileLong(row, source + 10);
      long lines = linesOffset(block) + 4L * lane;
      Bits.putInt(group, lines, Bits.nibbles(first, 0));
      Bits.putInt(group, lines + LINE_BYTES, Bits.nibbles(second, 0));
      Bits.putInt(group, lines + 2 * LINE_BYTES, Bits.nibbles(first, 4));
      Bits.putInt(group, lines + 3 * LINE_BYTES, Bits.nibbles(second, 4));
    }
    return notFinite;
  }

  @Override
  public float quant(MemorySegment group, int lane, int column) {
    int in = column % BLOCK_COLUMNS;
    long offset = linesOffset(column / BLOCK_COLUMNS) + (in / 8) * LINE_BYTES + 4L * lane;
    return ((Bits.getInt(group, offset) >> (4 * (in % 8))) & 15) - ZERO_NIBBLE;
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
