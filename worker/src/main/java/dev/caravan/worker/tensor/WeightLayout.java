package dev.caravan.worker.tensor;

import dev.caravan.model.checkpoint.DType;
import java.lang.foreign.MemorySegment;

/**
 * How a matrix of one type is packed for the kernels: groups of 16 rows (outputs), interleaved so
 * that lane i of a vector belongs to row i of its group, columns in order inside a group.
 *
 * <p>One layout per type is what makes every kernel return the same bits: whatever the vector width
 * and the number of activation rows, an output is one chain of operations in column order.
 *
 * <p>A weight is {@code scale(block) * quant(column) - min(block)}; for the float types quant is
 * the weight itself and scale is 1. Rows that fill up the last group and columns that fill up the
 * last block or tile are zero. Every group starts on a 64-byte line. Immutable.
 */
public sealed interface WeightLayout
    permits F32Layout, HalfLayout, Q8Layout, Q4Layout, Q4KLayout, Q6KLayout {

  /** Rows of a group, at every vector width. */
  int GROUP_ROWS = 16;

  /** Columns that share an activation scale, and the unit that columns are padded to. */
  int BLOCK_COLUMNS = 32;

  /** Bytes of one 32-bit lane in all rows of a group. */
  int LINE_BYTES = 64;

  static WeightLayout of(DType dtype) {
    return switch (dtype) {
      case F32 -> F32Layout.INSTANCE;
      case F16 -> HalfLayout.F16;
      case BF16 -> HalfLayout.BF16;
      case Q8_0 -> Q8Layout.INSTANCE;
      case Q4_0 -> Q4Layout.INSTANCE;
      case Q4_K -> Q4KLayout.Q4_K;
      case Q5_K -> Q4KLayout.Q5_K;
      case Q6_K -> Q6KLayout.INSTANCE;
    };
  }

  /** Returns the blocks of 32 columns, the last one perhaps padded. */
  static int blocks(int columns) {
    return Math.ceilDiv(columns, BLOCK_COLUMNS);
  }

  /** Bytes of a group of 16 rows; a multiple of 64. */
  long groupBytes(int columns);

  /** Columns that are summed before a scale is applied: 32, or 16 for Q6_K. */
  default int sumColumns() {
    return BLOCK_COLUMNS;
  }

  /** Returns true if weights have a minimum to subtract. */
  default boolean hasMin() {
    return false;
  }

  /** Returns true if sums are multiplied by a scale; false for the float types. */
  default boolean hasScale() {
    return true;
  }

  /**
   * Writes a row into a lane of a group.
   *
   * @param row as the checkpoint stores it, dtype.bytes(columns) bytes
   * @param group groupBytes(columns) bytes, zero in this lane
   * @return the first column whose weight or scale is not finite, or -1
   */
  int pack(MemorySegment row, int columns, MemorySegment group, int lane);

  /** The weight as stored, or the integer that the block's scale multiplies. */
  float quant(MemorySegment group, int lane, int column);

  /** Scale of the block of {@link #sumColumns} columns that starts at a column. */
  float scale(MemorySegment group, int lane, int column);

  /** Minimum of the block that starts at a column. */
  default float min(MemorySegment group, int lane, int column) {
    return 0f;
  }
}
