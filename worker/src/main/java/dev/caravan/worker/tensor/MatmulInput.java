package dev.caravan.worker.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Activations made ready for matrix products, off heap; reused from step to step.
 *
 * <p>Shapes, with blocks = ceil(columns / 32): values [maxRows, 32 * blocks] f32, zero beyond
 * columns, {@link #rowBytes} apart; scales [maxRows, blocks] f32, 1 unless int8; sums [maxRows,
 * blocks] f32, the sums of a block's values. With int8 the values are integers in [-127, 127], and
 * there are zeroPoints [maxRows, blocks] ints: what the offset of Q4_0 takes, -8 times the sums,
 * modulo 2^16.
 *
 * <p>The rest is there only where {@link #forms} says so. Tiles are the values as [maxRows / 4][32
 * * blocks][4 rows]. Factors are what integer kernels multiply with, modulo 2^16: as their shifts
 * leave the higher columns of a word in place, each factor takes away again what the factor before
 * it adds for its column. Below, x[-1] = 0, and {@code a | b} has a in the low half of an int and b
 * in the high half. All but nibbleFactors have {@link #INTEGER_ROWS} rows:
 *
 * <ul>
 *   <li>nibbleFactors [rows, 16 * blocks] ints, for each 8 columns x[0..7] four ints z[i]: {@code
 *       x[i] - 16 * x[i - 1] | x[i + 4] - 16 * x[i + 3]}
 *   <li>byteFactors [rows, 16 * blocks] ints, for each 4 columns x[0..3] two ints: {@code x[0] |
 *       x[2]}, then {@code x[1] | x[3]}
 *   <li>fiveBitFactors [rows, 24 * blocks] ints, see {@link Q4KLayout}: for each block twenty
 *       factors, then -16 times the sums of the block's halves, then three ints of no meaning
 *   <li>sixBitFactors [rows, 24 * blocks] ints, see {@link Q6KLayout}: for each 16 columns ten
 *       factors, then -32 times the sums of their halves, then one int of no meaning
 * </ul>
 *
 * <p>Threads may prepare disjoint rows; then any number may read.
 */
public final class MatmulInput {
  /** Rows that have all integer forms: a decode step, or a small batch. */
  public static final int INTEGER_ROWS = 4;

  /** Bytes of the factors of a block of 32 columns for fields of five or six bits. */
  public static final long FIELD_FACTORS_BYTES = 24L * Integer.BYTES;

  /** Rows of a tile. */
  public static final int TILE_ROWS = 4;

  private final int maxRows;
  private final int columns;
  private final int blocks;
  private final MemorySegment values;
  private final MemorySegment tiles;
  private final MemorySegment scales;
  private final MemorySegment sums;
  private final MemorySegment zeroPoints;
  private final MemorySegment nibbleFactors;
  private final MemorySegment byteFactors;
  private final MemorySegment fiveBitFactors;
  private final MemorySegment sixBitFactors;
  private InputForms forms = InputForms.of(false);

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
    this.zeroPoints = arena.allocate((long) maxRows * blocks * Integer.BYTES, line);
    this.nibbleFactors = arena.allocate(maxRows * factorRowBytes(), line);
    this.byteFactors = arena.allocate(integerRows * factorRowBytes(), line);
    this.fiveBitFactors = arena.allocate(integerRows * fieldRowBytes(), line);
    this.sixBitFactors = arena.allocate(integerRows * fieldRowBytes(), line);
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

  /** What the rows were prepared as; the same for all rows of a step. */
  public InputForms forms() {
    return forms;
  }

  /** Said by the kernels that prepare rows. */
  public void setForms(InputForms forms) {
    this.forms = forms;
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

  public MemorySegment zeroPoints() {
    return zeroPoints;
  }

  public MemorySegment nibbleFactors() {
    return nibbleFactors;
  }

  public MemorySegment byteFactors() {
    return byteFactors;
  }

  public MemorySegment fiveBitFactors() {
    return fiveBitFactors;
  }

  public MemorySegment sixBitFactors() {
    return sixBitFactors;
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

  /** Bytes from one row of factors for nibbles or bytes to the next. */
  public long factorRowBytes() {
    return blocks * 16L * Integer.BYTES;
  }

  /** Bytes from one row of factors for five or six bits to the next. */
  public long fieldRowBytes() {
    return blocks * FIELD_FACTORS_BYTES;
  }

  /** Byte offset of a row's scale, sum or zero point of a block. */
  public long blockOffset(int row, int block) {
    return ((long) row * blocks + block) * Float.BYTES;
  }
}
