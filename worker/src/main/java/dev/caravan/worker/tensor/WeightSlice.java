package dev.caravan.worker.tensor;

import dev.caravan.model.checkpoint.DType;
import java.lang.foreign.MemorySegment;
import java.util.function.IntUnaryOperator;

/**
 * The part of a checkpoint's matrix that a rank holds, still in the file: some rows, and of each
 * row a run of columns.
 *
 * @param name of the tensor, for messages
 * @param dtype how the elements are stored
 * @param rows of the slice
 * @param columns of the slice, whole blocks of the type
 * @param data the whole tensor, row-major
 * @param rowBytes from one row of the tensor to the next
 * @param columnOffsetBytes from the start of a row to the slice's first column
 * @param sourceRow row of the tensor that becomes row r of the slice
 */
public record WeightSlice(
    String name,
    DType dtype,
    int rows,
    int columns,
    MemorySegment data,
    long rowBytes,
    long columnOffsetBytes,
    IntUnaryOperator sourceRow) {

  /** Returns the bytes of one row of the slice. */
  public MemorySegment row(int row) {
    long offset = sourceRow.applyAsInt(row) * rowBytes + columnOffsetBytes;
    return data.asSlice(offset, dtype.bytes(columns));
  }
}
