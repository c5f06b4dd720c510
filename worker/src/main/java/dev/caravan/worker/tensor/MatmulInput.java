package dev.caravan.worker.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Activations made ready for matrix products, off heap; reused from step to step.
 *
 * <p>Shapes, with blocks = ceil(columns / 32): values [maxRows, 32 * blocks] f32, zero beyond
 * columns, {@link #rowBytes} apart; tiles, the same values as [maxRows / 4][32 * blocks][4 rows];
 * scales [maxRows, blocks] f32, 1 unless int8; sums [maxRows, blocks] f32, the sums of a block's
 * values. With int8 the values are integers in [-127, 127] and are there a second time in the forms
 * that integer kernels multiply with, the last two of the first {@link #INTEGER_ROWS} rows only:
 *
 * <ul>
 *   <li>nibbleFactors [rows, 16 * blocks] ints, for each 8 columns x[0..7] four ints z[i]: low half
 *       x[i] - 16 * x[i - 1], high half x[i + 4] - 16 * x[i + 3], modulo 2^16, x[-1] = 0
 *   <li>halfSums [rows, 2 * blocks] f32, the sums of 16 values
 *   <li>byteFactors [rows, 16 * blocks] ints, for each 4 columns x[0..3] two ints: x[0] low and
 *       x[2] high, then x[1] low and x[3] high
 * </ul>
 *
 * <p>Threads may prepare disjoint rows; then any number may read.
 */
public final class MatmulInput {
  /** Rows that have all integer forms: a decode step, or a small batch. */
  public static final int INTEGER_ROWS = 4;

  /** Rows of a tile. */
  public static final int TILE_ROWS = 4;

  private final int maxRows;
  private final int columns;
  private final int blocks;
  private final MemorySegment values;
  private final MemorySegment tiles;
  private final MemorySegment scales;
  private final MemorySegment sums;
  private final MemorySegment nibbleFactors;
  private final MemorySegment byteFactors;
  private final MemorySegment halfSums;
  private boolean int8;

  public MatmulInput(Arena arena, int maxRows, int columns) {
    this.maxRows = maxRows;
    this.columns = columns;
    this.blocks = WeightLayout.blocks(columns);
    long line = WeightLayout.LINE_BYTES;
    int integerRows = Math.min(maxRows, INTEGER_ROWS);
    this.values = arena.allocate(maxRows * rowBytes(), line);
    this.tiles = arena.allocate(Math.ceilDiv(maxRows, TILE_ROWS) * tileBytes(), line);
    // Kernels of four rows read the scales of a whole tile.
    long paddedRows = (long) Math.ceilDiv(maxRows, TILE_ROWS) * TILE_ROWS;
    this.scales = arena.allocate(paddedRows * blocks * Float.BYTES, line);
    this.sums = arena.allocate(paddedRows * blocks * Float.BYTES, line);
    this.nibbleFactors = arena.allocate(maxRows * factorRowBytes(), line);
    this.byteFactors = arena.allocate(integerRows * factorRowBytes(), line);
    this.halfSums = arena.allocate(2L * integerRows * blocks * Float.BYTES, line);
  }

  public int maxRows() {
    return maxRows;
  }

  public int columns() {
    return columns;
  }

  /** Blocks of 32 columns. */
  public int blocks() {
    return blocks;
  }

  /** Whether the rows were prepared as int8; the same for all rows of a step. */
  public boolean int8() {
    return int8;
  }

  /** Said by the kernels that prepare rows. */
  public void setInt8(boolean int8) {
    this.int8 = int8;
  }

  public MemorySegment values() {
    return values;
  }

  public MemorySegment tiles() {
    return tiles;
  }

  public MemorySegment scales() {
    return scales;
  }

  public MemorySegment sums() {
    return sums;
  }

  public MemorySegment nibbleFactors() {
    return nibbleFactors;
  }

  public MemorySegment byteFactors() {
    return byteFactors;
  }

  public MemorySegment halfSums() {
    return halfSums;
  }

  /**
   * Bytes from one row of values to the next: one line more than the values, so that rows read
   * together do not fall on the same cache sets.
   */
  public long rowBytes() {
    return (long) blocks * WeightLayout.BLOCK_COLUMNS * Float.BYTES + WeightLayout.LINE_BYTES;
  }

  /** Bytes from one tile to the next. */
  public long tileBytes() {
    return (long) blocks * WeightLayout.BLOCK_COLUMNS * TILE_ROWS * Float.BYTES;
  }

  /** Byte offset in the tiles of a row's value of a column. */
  public long tileOffset(int row, int column) {
    return row / TILE_ROWS * tileBytes()
        + ((long) column * TILE_ROWS + row % TILE_ROWS) * Float.BYTES;
  }

  /** Bytes from one row of factors to the next. */
  public long factorRowBytes() {
    return blocks * 16L * Integer.BYTES;
  }

  /** Byte offset of a row's scale or sum of a block. */
  public long blockOffset(int row, int block) {
    return ((long) row * blocks + block) * Float.BYTES;
  }
}
