package dev.caravan.worker.tensor;

import dev.caravan.model.checkpoint.DType;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;

/** Repacks checkpoint rows into the kernels' layout, once, at load. */
public final class WeightPacker {

  private WeightPacker() {}

  /** Allocates a matrix of zeros. */
  public static WeightMatrix allocate(SegmentAllocator memory, DType dtype, int rows, int columns) {
    long bytes = WeightMatrix.bytes(dtype, rows, columns);
    return new WeightMatrix(dtype, rows, columns, memory.allocate(bytes, WeightLayout.LINE_BYTES));
  }

  /**
   * Packs the groups [fromGroup, toGroup). Threads may pack disjoint groups of one matrix.
   *
   * @param target freshly allocated, of the slice's type and shape
   * @throws ClusterException CHECKPOINT_CORRUPT if a weight or a scale is infinite or not a number
   */
  public static void pack(WeightSlice slice, WeightMatrix target, int fromGroup, int toGroup) {
    if (slice.dtype() != target.dtype()
        || slice.rows() != target.rows()
        || slice.columns() != target.columns()) {
      throw new IllegalArgumentException(
          "%s: slice %s [%d, %d] into a matrix %s [%d, %d]"
              .formatted(
                  slice.name(),
                  slice.dtype(),
                  slice.rows(),
                  slice.columns(),
                  target.dtype(),
                  target.rows(),
                  target.columns()));
    }
    for (int group = fromGroup; group < toGroup; group++) {
      MemorySegment bytes = target.group(group);
      int firstRow = group * WeightLayout.GROUP_ROWS;
      int lanes = Math.min(WeightLayout.GROUP_ROWS, slice.rows() - firstRow);
      for (int lane = 0; lane < lanes; lane++) {
        int row = firstRow + lane;
        int notFinite = target.layout().pack(slice.row(row), slice.columns(), bytes, lane);
        if (notFinite >= 0) {
          throw notFinite(slice, row, notFinite);
        }
      }
    }
  }

  private static ClusterException notFinite(WeightSlice slice, int row, int column) {
    return new ClusterException(
        ErrorCode.CHECKPOINT_CORRUPT,
        ("tensor %s (%s): the weight or scale at row %d, column %d of this rank's part is infinite"
                + " or not a number; download or convert the model again")
            .formatted(slice.name(), slice.dtype(), slice.sourceRow().applyAsInt(row), column));
  }
}
