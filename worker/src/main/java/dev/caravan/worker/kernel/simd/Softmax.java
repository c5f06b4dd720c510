package dev.caravan.worker.kernel.simd;

import static dev.caravan.worker.kernel.simd.Lanes.F;

import dev.caravan.worker.kernel.LaneSum;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** The softmax of one query's scores, in place, and its results. Confined to one thread. */
final class Softmax {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int STEP = Lanes.COUNT;

  private final float[] lanes = new float[LaneSum.LANES];

  /** Replaces scores by e to their distance from the largest, which it returns. */
  float exponentials(MemorySegment scores, long at, int positions) {
    int padded = padded(positions);
    for (int position = positions; position < padded; position++) {
      // e to minus infinity is 0, which changes neither the maximum nor the sum.
      scores.set(ValueLayout.JAVA_FLOAT, at + 4L * position, Float.NEGATIVE_INFINITY);
    }
    float max = largest(scores, at, padded);
    for (int p = 0; p < padded; p += STEP) {
      FloatVector v = FloatVector.fromMemorySegment(F, scores, at + 4L * p, ORDER);
      SimdElementwise.exp(v.sub(max)).intoMemorySegment(scores, at + 4L * p, ORDER);
    }
    return max;
  }

  /** Sums weights in the order of {@link LaneSum}. */
  float sum(MemorySegment weights, long at, int positions) {
    int padded = padded(positions);
    for (int lane = 0; lane < LaneSum.LANES; lane += STEP) {
      FloatVector total = FloatVector.zero(F);
      for (int start = 0; start < padded; start += LaneSum.CHUNK) {
        FloatVector chunk = FloatVector.zero(F);
        int end = Math.min(padded, start + LaneSum.CHUNK);
        for (int p = start; p < end; p += LaneSum.LANES) {
          chunk = chunk.add(FloatVector.fromMemorySegment(F, weights, at + 4L * (p + lane), ORDER));
        }
        total = total.add(chunk);
      }
      total.intoArray(lanes, lane);
    }
    return LaneSum.fold(lanes);
  }

  /** x = y * b + x * a, the first product not rounded; count is a multiple of 16. */
  static void addScaled(MemorySegment data, long x, float a, long y, float b, int count) {
    FloatVector factor = FloatVector.broadcast(F, b);
    for (long i = 0; i < 4L * count; i += Lanes.BYTES) {
      FloatVector scaled = FloatVector.fromMemorySegment(F, data, x + i, ORDER).mul(a);
      FloatVector.fromMemorySegment(F, data, y + i, ORDER)
          .fma(factor, scaled)
          .intoMemorySegment(data, x + i, ORDER);
    }
  }

  /** out = x * factor. */
  static void multiply(
      MemorySegment data, long x, float factor, MemorySegment out, long to, int count) {
    int k = 0;
    for (; k + STEP <= count; k += STEP) {
      FloatVector.fromMemorySegment(F, data, x + 4L * k, ORDER)
          .mul(factor)
          .intoMemorySegment(out, to + 4L * k, ORDER);
    }
    for (; k < count; k++) {
      float number = data.get(ValueLayout.JAVA_FLOAT, x + 4L * k);
      out.set(ValueLayout.JAVA_FLOAT, to + 4L * k, number * factor);
    }
  }

  private float largest(MemorySegment scores, long at, int padded) {
    FloatVector max = FloatVector.broadcast(F, Float.NEGATIVE_INFINITY);
    for (int p = 0; p < padded; p += STEP) {
      FloatVector v = FloatVector.fromMemorySegment(F, scores, at + 4L * p, ORDER);
      // Not max and reduceLanes: where those are no instructions, they allocate at every turn.
      max = v.blend(max, max.compare(VectorOperators.GE, v));
    }
    max.intoArray(lanes, 0);
    float largest = lanes[0];
    for (int lane = 1; lane < STEP; lane++) {
      largest = Math.max(largest, lanes[lane]);
    }
    return largest;
  }

  private static int padded(int positions) {
    return Math.ceilDiv(positions, LaneSum.LANES) * LaneSum.LANES;
  }
}
