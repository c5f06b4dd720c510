package dev.caravan.worker.kernel.simd;

import static dev.caravan.worker.kernel.simd.Lanes.F;

import dev.caravan.worker.kernel.AttentionRows;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;

/**
 * What surrounds {@link TileKernels#fourSums} in attention: its inputs, four queries side by side,
 * and its results, two vectors a query. Offsets are bytes.
 */
final class AttentionKernels {
  /** Queries of a group. */
  static final int GROUP = 4;

  /** Bytes from the weights of one query to the next: no power of two, or they share cache sets. */
  static final long WEIGHTS_BYTES = AttentionRows.RANGE * Float.BYTES + 64;

  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  private AttentionKernels() {}

  /** Copies numbers of a query to its column of a group [count][4]. */
  static void pack(MemorySegment x, long from, int count, MemorySegment group, long to) {
    for (int i = 0; i < count; i++) {
      float number = x.get(ValueLayout.JAVA_FLOAT, from + 4L * i);
      group.set(ValueLayout.JAVA_FLOAT, to + 4L * GROUP * i, number);
    }
  }

  /**
   * Scales sums and stores them as scores.
   *
   * @param s first query's scores of the first vector, those of the second {@code step} on; 0 if
   *     there is no second
   */
  static void scores(
      MemorySegment tile,
      long sums,
      float scale,
      MemorySegment weights,
      long s,
      long step,
      int queries) {
    for (int query = 0; query < queries; query++) {
      long from = sums + 2L * query * Lanes.BYTES;
      long to = s + query * WEIGHTS_BYTES;
      FloatVector a = FloatVector.fromMemorySegment(F, tile, from, ORDER);
      FloatVector b = FloatVector.fromMemorySegment(F, tile, from + Lanes.BYTES, ORDER);
      a.mul(scale).intoMemorySegment(weights, to, ORDER);
      if (step != 0) {
        b.mul(scale).intoMemorySegment(weights, to + step, ORDER);
      }
    }
  }

  /**
   * Adds sums of weighted values to totals.
   *
   * @param t first query's total of the first vector, that of the second {@code step} on, 0 if
   *     there is no second; the next query's {@code record} on
   */
  static void add(
      MemorySegment tile,
      long sums,
      MemorySegment totals,
      long t,
      long step,
      long record,
      int queries) {
    for (int query = 0; query < queries; query++) {
      long from = sums + 2L * query * Lanes.BYTES;
      long to = t + query * record;
      FloatVector a = FloatVector.fromMemorySegment(F, tile, from, ORDER);
      FloatVector b = FloatVector.fromMemorySegment(F, tile, from + Lanes.BYTES, ORDER);
      a.add(FloatVector.fromMemorySegment(F, totals, to, ORDER))
          .intoMemorySegment(totals, to, ORDER);
      if (step != 0) {
        b.add(FloatVector.fromMemorySegment(F, totals, to + step, ORDER))
            .intoMemorySegment(totals, to + step, ORDER);
      }
    }
  }
}
