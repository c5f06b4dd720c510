package dev.caravan.proto.wire;

import java.lang.foreign.MemorySegment;

/**
 * Rows of f32 in memory: a rectangle of some wider matrix.
 *
 * @param data memory that holds the matrix, native byte order
 * @param offsetBytes of the first row's first column
 * @param strideFloats floats from one row to the next, at least columns
 * @param rows of the rectangle
 * @param columns of the rectangle
 */
public record TensorView(
    MemorySegment data, long offsetBytes, int strideFloats, int rows, int columns) {

  public TensorView {
    if (rows < 0 || columns < 0 || columns > strideFloats) {
      throw new IllegalArgumentException(
          "view [%d, %d] of rows %d floats apart".formatted(rows, columns, strideFloats));
    }
  }

  /** Byte offset of a row. */
  long rowOffset(int row) {
    return offsetBytes + (long) row * strideFloats * Float.BYTES;
  }
}
