package dev.caravan.worker.tensor;

import java.lang.foreign.MemorySegment;

/**
 * Q4_K and Q5_K: tiles of one super-block of 256 columns, 2432 or 2944 bytes: {@code [16 floats
 * d][16 floats dmin][4 lines of scales][8 blocks]}. Both are f16 in the file, where usual weights
 * make them so small that they are subnormal: kept as f32, no kernel converts them, slowly, again
 * and again.
 *
 * <p>Line i of the scales holds blocks 2i and 2i + 1: bytes scale, min, scale, min of each row. A
 * block is four lines of unsigned nibbles as in Q4_0 without offset. The scale of a block is d *
 * scale and its minimum dmin * min, both exact in f32. About 1.06 times the bytes of the file.
 *
 * <p>A block of Q5_K is five lines; the low halves of their ints belong to its columns 0 .. 15, the
 * high halves to 16 .. 31. A half of line i holds the weights of the half's columns 3i, 3i + 1 and
 * 3i + 2, five bits each from the lowest on, and in its top bit the bit i of the weight of column
 * 15. Immutable.
 */
public final class Q4KLayout implements WeightLayout {
  /** From the start of a tile to its scales. */
  public static final int SCALES_OFFSET = 2 * LINE_BYTES;

  /** From the start of a tile to its minima. */
  public static final int MINS_OFFSET = LINE_BYTES;

  /** From the start of a tile to its first block. */
  public static final int BLOCKS_OFFSET = 6 * LINE_BYTES;

  static final Q4KLayout Q4_K = new Q4KLayout(false);
  static final Q4KLayout Q5_K = new Q4KLayout(true);

  private static final int TILE_COLUMNS = 256;
  private static final int FILE_SCALES = 4;
  private static final int FILE_NIBBLES = 16;
  private static final int FILE_HIGH_BITS = 16;
  private static final int FILE_FIVE_BITS_NIBBLES = 48;

  private final boolean fiveBits;
  private final int blockBytes;
  private final int tileBytes;

  private Q4KLayout(boolean fiveBits) {
    this.fiveBits = fiveBits;
    this.blockBytes = (fiveBits ? 5 : 4) * LINE_BYTES;
    this.tileBytes = BLOCKS_OFFSET + 8 * blockBytes;
  }

  /** Bytes of a super-block of 16 rows. */
  public int tileBytes() {
    return tileBytes;
  }

  /** Bytes of a block of 32 columns of 16 rows. */
  public int blockBytes() {
    return blockBytes;
  }

  @Override
  public long groupBytes(int columns) {
    return (long) Math.ceilDiv(columns, TILE_COLUMNS) * tileBytes;
  }

  @Override
  public boolean hasMin() {
    return true;
  }

  @Override
  public int pack(MemorySegment row, int columns, MemorySegment group, int lane) {
    int notFinite = -1;
    int fileBytes = fiveBits ? 176 : 144;
    for (int tile = 0; tile < columns / TILE_COLUMNS; tile++) {
      long source = (long) tile * fileBytes;
      int scales = Bits.fileInt(row, source);
      if (!(Bits.isFiniteF16((short) scales) && Bits.isFiniteF16((short) (scales >> 16)))
          && notFinite < 0) {
        notFinite = tile * TILE_COLUMNS;
      }
      long target = (long) tile * tileBytes + 4L * lane;
      Bits.putFloat(group, target, Float.float16ToFloat((short) scales));
      Bits.putFloat(group, target + MINS_OFFSET, Float.float16ToFloat((short) (scales >> 16)));
      for (int block = 0; block < 8; block++) {
        int pair = fileScale(row, source + FILE_SCALES, block);
        Bits.orInt(
            group, target + SCALES_OFFSET + (block / 2) * LINE_BYTES, pair << (16 * (block & 1)));
        packBlock(row, source, block, group, target + BLOCKS_OFFSET + (long) block * blockBytes);
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
            + (long) (column % TILE_COLUMNS / BLOCK_COLUMNS) * blockBytes;
    return fiveBits
        ? fiveBits(group, block, in)
        : Bits.getInt(group, block + (in / 8) * LINE_BYTES) >> (4 * (in % 8)) & 15;
  }

  @Override
  public float scale(MemorySegment group, int lane, int column) {
    return Bits.getFloat(group, tile(column, lane)) * (scales(group, lane, column) & 0xff);
  }

  @Override
  public float min(MemorySegment group, int lane, int column) {
    return Bits.getFloat(group, tile(column, lane) + MINS_OFFSET)
        * (scales(group, lane, column) >> 8 & 0xff);
  }

  private long tile(int column, int lane) {
    return (long) (column / TILE_COLUMNS) * tileBytes + 4L * lane;
  }

  private int scales(MemorySegment group, int lane, int column) {
    int block = column % TILE_COLUMNS / BLOCK_COLUMNS;
    long line = tile(column, lane) + SCALES_OFFSET + (block / 2) * LINE_BYTES;
    return Bits.getInt(group, line) >>> (16 * (block & 1));
  }

  private void packBlock(
      MemorySegment row, long source, int block, MemorySegment group, long target) {
    if (fiveBits) {
      packFiveBits(row, source, block, group, target);
      return;
    }
    long nibbles = source + FILE_NIBBLES + 32L * (block / 2);
    for (int line = 0; line < 4; line++) {
      long eightBytes = Bits.fileLong(row, nibbles + 8L * line);
      Bits.putInt(group, target + line * LINE_BYTES, Bits.nibbles(eightBytes, 4 * (block & 1)));
    }
  }

  private static void packFiveBits(
      MemorySegment row, long source, int block, MemorySegment group, long target) {
    for (int half = 0; half < 2; half++) {
      int last = fileQuant(row, source, block, 16 * half + 15);
      for (int line = 0; line < 5; line++) {
        int first = 16 * half + 3 * line;
        int fields =
            fileQuant(row, source, block, first)
                | fileQuant(row, source, block, first + 1) << 5
                | fileQuant(row, source, block, first + 2) << 10
                | (last >> line & 1) << 15;
        Bits.orInt(group, target + line * LINE_BYTES, fields << (16 * half));
      }
    }
  }

  /** Returns the five bits of a column of a block of Q5_K. */
  private static int fileQuant(MemorySegment row, long source, int block, int column) {
    int high = Bits.unsignedByte(row, source + FILE_HIGH_BITS + column);
    int low = Bits.unsignedByte(row, source + FILE_FIVE_BITS_NIBBLES + 32L * (block / 2) + column);
    return low >> (4 * (block & 1)) & 15 | (high >> block & 1) << 4;
  }

  private static int fiveBits(MemorySegment group, long block, int column) {
    int half = 16 * (column / 16);
    int in = column % 16;
    if (in < 15) {
      return Bits.getInt(group, block + (in / 3) * LINE_BYTES) >> (half + 5 * (in % 3)) & 31;
    }
    int bits = 0;
    for (int line = 0; line < 5; line++) {
      bits |= (Bits.getInt(group, block + line * LINE_BYTES) >> (half + 15) & 1) << line;
    }
    return bits;
  }

  /** Returns the 6-bit scale in the low byte and the 6-bit minimum in the next one. */
  static int fileScale(MemorySegment row, long scales, int block) {
    if (block < 4) {
      int scale = Bits.unsignedByte(row, scales + block) & 63;
      return scale | (Bits.unsignedByte(row, scales + block + 4) & 63) << 8;
    }
    int low = Bits.unsignedByte(row, scales + block + 4);
    int scale = (low & 15) | Bits.unsignedByte(row, scales + block - 4) >> 6 << 4;
    int min = low >> 4 | Bits.unsignedByte(row, scales + block) >> 6 << 4;
    return scale | min << 8;
  }
}
