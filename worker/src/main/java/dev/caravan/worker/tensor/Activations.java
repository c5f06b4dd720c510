package dev.caravan.worker.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Rows of f32, off heap, each row 64-byte aligned; reused from step to step.
 *
 * <p>Shape: [maxRows, columns], stored with {@code stride} floats a row; the padding stays zero.
 * Confined to the step that uses it: threads write disjoint rows or columns.
 */
public final class Activations {
  private static final int ROW_ALIGNMENT_FLOATS = 32;
  private static final long BYTE_ALIGNMENT = 64;

  private final MemorySegment data;
  private final int maxRows;
  private final int columns;
  private final int stride;

  public Activations(Arena arena, int maxRows, int columns) {
    this.maxRows = maxRows;
    this.columns = columns;
    this.stride = Math.ceilDiv(columns, ROW_ALIGNMENT_FLOATS) * ROW_ALIGNMENT_FLOATS;
    this.data = arena.allocate((long) maxRows * stride * Float.BYTES, BYTE_ALIGNMENT);
  }

  private Activations(Activations all, int fromRow, int toRow) {
    this.maxRows = toRow - fromRow;
    this.columns = all.columns;
    this.stride = all.stride;
    long from = all.offset(fromRow);
    this.data = all.data.asSlice(from, all.offset(toRow) - from);
  }

  /** Returns the rows [fromRow, toRow), in the same memory. */
  public Activations rows(int fromRow, int toRow) {
    return new Activations(this, fromRow, toRow);
  }

  public MemorySegment data() {
    return data;
  }

  public int maxRows() {
    return maxRows;
  }

  public int columns() {
    return columns;
  }

  /** Floats from one row to the next: columns rounded up to a multiple of 32. */
  public int stride() {
    return stride;
  }

  /** Byte offset of a row. */
  public long offset(int row) {
    return (long) row * stride * Float.BYTES;
  }

  public float get(int row, int column) {
    return data.get(ValueLayout.JAVA_FLOAT, offset(row) + (long) column * Float.BYTES);
  }

  public void set(int row, int column, float value) {
    data.set(ValueLayout.JAVA_FLOAT, offset(row) + (long) column * Float.BYTES, value);
  }
}
