package dev.caravan.worker.kernel.simd;

import dev.caravan.worker.tensor.WeightMatrix;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * All memory of the process as one segment whose offsets are addresses, for the innermost loops.
 *
 * <p>A load from a segment checks its bounds. In nested loops with few iterations the compiler does
 * not move those checks out, and they cost more than the arithmetic. Here the bound is a constant,
 * and an address cut to {@link #ADDRESS} is known to be below it, so that no check remains.
 * Therefore: callers check what a kernel will touch before they call it ({@link #checkGroups}), and
 * keep the segments reachable meanwhile.
 */
final class Memory {
  static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  /** Mask of the bits of an address: cuts nothing, but tells the compiler the range. */
  static final long ADDRESS = (1L << 56) - 1;

  private Memory() {}

  /**
   * Checks that row groups lie in a matrix.
   *
   * @throws IndexOutOfBoundsException if they do not
   */
  static void checkGroups(WeightMatrix w, int fromGroup, int toGroup) {
    Objects.checkFromToIndex(fromGroup, toGroup, w.rowGroups());
    Objects.checkFromIndexSize(
        fromGroup * w.groupBytes(), (toGroup - fromGroup) * w.groupBytes(), w.data().byteSize());
  }
}
