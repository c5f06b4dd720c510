package dev.caravan.model.checkpoint;

import java.lang.foreign.MemorySegment;

/**
 * A tensor of a checkpoint, still in its file.
 *
 * @param name as the file spells it
 * @param dtype how its elements are stored
 * @param rows outputs of a matrix; 1 for a vector
 * @param columns inputs of a matrix; length of a vector
 * @param data read-only mapping, row-major, rows * dtype.bytes(columns) bytes; may start at any
 *     address, so it is read with unaligned layouts
 */
public record TensorEntry(String name, DType dtype, long rows, long columns, MemorySegment data) {

  public TensorEntry {
    long expected = Math.multiplyExact(rows, dtype.bytes(columns));
    if (data.byteSize() != expected) {
      throw new IllegalArgumentException(
          "tensor %s: %d bytes for %s [%d, %d], %d expected"
              .formatted(name, data.byteSize(), dtype, rows, columns, expected));
    }
  }

  /** Bytes of one row. */
  public long rowBytes() {
    return dtype.bytes(columns);
  }
}
