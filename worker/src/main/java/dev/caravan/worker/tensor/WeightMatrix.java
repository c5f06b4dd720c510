package dev.caravan.worker.tensor;

import dev.caravan.model.checkpoint.DType;
import java.lang.foreign.MemorySegment;

/**
 * A packed weight matrix, off heap: groups of 16 rows in the {@link WeightLayout} of its type.
 *
 * <p>Shape: [rows, columns], rows being outputs and columns inputs. Immutable once packed.
 */
public final class WeightMatrix {
  private final DType dtype;
  private final int rows;
  private final int columns;
  private final WeightLayout layout;
  private final long groupBytes;
  private final MemorySegment data;

  /**
   * Takes packed bytes as they are, for example from a mapped cache file.
   *
   * @param data {@link #bytes(DType, int, int)} bytes, 64-byte aligned
   * @throws IllegalArgumentException if the size or the alignment is another
   */
  public WeightMatrix(DType dtype, int rows, int columns, MemorySegment data) {
    this.dtype = dtype;
    this.rows = rows;
    this.columns = columns;
    this.layout = WeightLayout.of(dtype);
    this.groupBytes = layout.groupBytes(columns);
    this.data = data;
    long expected = bytes(dtype, rows, columns);
    if (data.byteSize() != expected || data.address() % WeightLayout.LINE_BYTES != 0) {
      throw new IllegalArgumentException(
          "%s [%d, %d]: %d bytes at address %x, expected %d bytes, 64-byte aligned"
              .formatted(dtype, rows, columns, data.byteSize(), data.address(), expected));
    }
  }

  /** Returns the packed bytes of a matrix. */
  public static long bytes(DType dtype, int rows, int columns) {
    if (rows < 1 || columns < 1 || columns % dtype.blockElements() != 0) {
      throw new IllegalArgumentException(
          "%s [%d, %d]: rows and columns of whole blocks of %d needed"
              .formatted(dtype, rows, columns, dtype.blockElements()));
    }
    return Math.ceilDiv(rows, WeightLayout.GROUP_ROWS) * WeightLayout.of(dtype).groupBytes(columns);
  }

  public DType dtype() {
    return dtype;
  }

  public int rows() {
    return rows;
  }

  public int columns() {
    return columns;
  }

  public WeightLayout layout() {
    return layout;
  }

  /** Groups of 16 rows, the last one perhaps filled up with zeros. */
  public int rowGroups() {
    return Math.ceilDiv(rows, WeightLayout.GROUP_ROWS);
  }

  public long groupBytes() {
    return groupBytes;
  }

  public long bytes() {
    return data.byteSize();
  }

  public MemorySegment data() {
    return data;
  }

  /** Returns the bytes of one group. */
  public MemorySegment group(int group) {
    return data.asSlice(group * groupBytes, groupBytes);
  }
}
