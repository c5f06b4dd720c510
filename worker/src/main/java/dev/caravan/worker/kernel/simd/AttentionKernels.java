package dev.caravan.worker.kernel.simd;

import static dev.caravan.worker.kernel.simd.Lanes.F;
import static dev.caravan.worker.kernel.simd.Lanes.I;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * One block of 16 positions and two query heads: scores, and weighted values.
 *
 * <p>Two heads and two vectors make four independent chains, which hide most of the latency of a
 * multiply-add; a head or a vector may be given twice. Offsets are bytes. Methods are flat and take
 * many arguments because the compiler boxes vectors that cross a call it does not inline.
 */
final class AttentionKernels {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int LINE = 64;
  private static final int HALF_MASK = Halves.MASK;
  private static final float HALF_SCALE = Halves.SCALE;

  private AttentionKernels() {}

  /** Keys k0 and k1 (vectors of positions) times the heads q0 and q1, to scores of head and key. */
  static void scoresF16(
      MemorySegment keys,
      long k0,
      long k1,
      MemorySegment q,
      long q0,
      long q1,
      int headDim,
      float scale,
      MemorySegment scores,
      long s0,
      long s1,
      long vector) {
    FloatVector a0 = FloatVector.zero(F);
    FloatVector a1 = FloatVector.zero(F);
    FloatVector b0 = FloatVector.zero(F);
    FloatVector b1 = FloatVector.zero(F);
    for (int pair = 0; pair < headDim / 2; pair++) {
      IntVector v0 = IntVector.fromMemorySegment(I, keys, k0 + (long) pair * LINE, ORDER);
      IntVector v1 = IntVector.fromMemorySegment(I, keys, k1 + (long) pair * LINE, ORDER);
      FloatVector low0 = half(v0.lanewise(VectorOperators.LSHL, 16));
      FloatVector low1 = half(v1.lanewise(VectorOperators.LSHL, 16));
      FloatVector high0 = half(v0);
      FloatVector high1 = half(v1);
      FloatVector qa = FloatVector.broadcast(F, q.get(ValueLayout.JAVA_FLOAT, q0 + pair * 8L));
      FloatVector qb = FloatVector.broadcast(F, q.get(ValueLayout.JAVA_FLOAT, q1 + pair * 8L));
      a0 = low0.fma(qa, a0);
      a1 = low1.fma(qa, a1);
      b0 = low0.fma(qb, b0);
      b1 = low1.fma(qb, b1);
      qa = FloatVector.broadcast(F, q.get(ValueLayout.JAVA_FLOAT, q0 + pair * 8L + 4));
      qb = FloatVector.broadcast(F, q.get(ValueLayout.JAVA_FLOAT, q1 + pair * 8L + 4));
      a0 = high0.fma(qa, a0);
      a1 = high1.fma(qa, a1);
      b0 = high0.fma(qb, b0);
      b1 = high1.fma(qb, b1);
    }
    a0.mul(scale).intoMemorySegment(scores, s0, ORDER);
    a1.mul(scale).intoMemorySegment(scores, s0 + vector, ORDER);
    b0.mul(scale).intoMemorySegment(scores, s1, ORDER);
    b1.mul(scale).intoMemorySegment(scores, s1 + vector, ORDER);
  }

  static void scoresF32(
      MemorySegment keys,
      long k0,
      long k1,
      MemorySegment q,
      long q0,
      long q1,
      int headDim,
      float scale,
      MemorySegment scores,
      long s0,
      long s1,
      long vector) {
    FloatVector a0 = FloatVector.zero(F);
    FloatVector a1 = FloatVector.zero(F);
    FloatVector b0 = FloatVector.zero(F);
    FloatVector b1 = FloatVector.zero(F);
    for (int d = 0; d < headDim; d++) {
      FloatVector v0 = FloatVector.fromMemorySegment(F, keys, k0 + (long) d * LINE, ORDER);
      FloatVector v1 = FloatVector.fromMemorySegment(F, keys, k1 + (long) d * LINE, ORDER);
      FloatVector qa = FloatVector.broadcast(F, q.get(ValueLayout.JAVA_FLOAT, q0 + d * 4L));
      FloatVector qb = FloatVector.broadcast(F, q.get(ValueLayout.JAVA_FLOAT, q1 + d * 4L));
      a0 = v0.fma(qa, a0);
      a1 = v1.fma(qa, a1);
      b0 = v0.fma(qb, b0);
      b1 = v1.fma(qb, b1);
    }
    a0.mul(scale).intoMemorySegment(scores, s0, ORDER);
    a1.mul(scale).intoMemorySegment(scores, s0 + vector, ORDER);
    b0.mul(scale).intoMemorySegment(scores, s1, ORDER);
    b1.mul(scale).intoMemorySegment(scores, s1 + vector, ORDER);
  }

  /**
   * Adds a block's values, weighted, to the sums of two heads.
   *
   * @param v0 first vector of dimensions, v1 the second; {@code row} from one position (F32) or
   *     pair of positions (F16) to the next
   * @param p0 weights of the first head's positions, p1 of the second's
   * @param o0 sums of the first head at v0, o1 of the second's; {@code vector} further for v1
   */
  static void valuesF16(
      MemorySegment values,
      long v0,
      long v1,
      long row,
      int positions,
      MemorySegment scratch,
      long p0,
      long p1,
      long o0,
      long o1,
      long vector) {
    FloatVector a0 = FloatVector.zero(F);
    FloatVector a1 = FloatVector.zero(F);
    FloatVector b0 = FloatVector.zero(F);
    FloatVector b1 = FloatVector.zero(F);
    for (int position = 0; position < positions; position++) {
      // The even position of a pair is in the low half.
      int up = 16 - 16 * (position & 1);
      long at = (position >> 1) * row;
      FloatVector x0 =
          half(
              IntVector.fromMemorySegment(I, values, v0 + at, ORDER)
                  .lanewise(VectorOperators.LSHL, up));
      FloatVector x1 =
          half(
              IntVector.fromMemorySegment(I, values, v1 + at, ORDER)
                  .lanewise(VectorOperators.LSHL, up));
      FloatVector pa =
          FloatVector.broadcast(F, scratch.get(ValueLayout.JAVA_FLOAT, p0 + position * 4L));
      FloatVector pb =
          FloatVector.broadcast(F, scratch.get(ValueLayout.JAVA_FLOAT, p1 + position * 4L));
      a0 = x0.fma(pa, a0);
      a1 = x1.fma(pa, a1);
      b0 = x0.fma(pb, b0);
      b1 = x1.fma(pb, b1);
    }
    a0 = FloatVector.fromMemorySegment(F, scratch, o0, ORDER).add(a0);
    a1 = FloatVector.fromMemorySegment(F, scratch, o0 + vector, ORDER).add(a1);
    b0 = FloatVector.fromMemorySegment(F, scratch, o1, ORDER).add(b0);
    b1 = FloatVector.fromMemorySegment(F, scratch, o1 + vector, ORDER).add(b1);
    // All are read before any is written: a head or vector given twice is added once.
    a0.intoMemorySegment(scratch, o0, ORDER);
    a1.intoMemorySegment(scratch, o0 + vector, ORDER);
    b0.intoMemorySegment(scratch, o1, ORDER);
    b1.intoMemorySegment(scratch, o1 + vector, ORDER);
  }

  static void valuesF32(
      MemorySegment values,
      long v0,
      long v1,
      long row,
      int positions,
      MemorySegment scratch,
      long p0,
      long p1,
      long o0,
      long o1,
      long vector) {
    FloatVector a0 = FloatVector.zero(F);
    FloatVector a1 = FloatVector.zero(F);
    FloatVector b0 = FloatVector.zero(F);
    FloatVector b1 = FloatVector.zero(F);
    for (int position = 0; position < positions; position++) {
      FloatVector x0 = FloatVector.fromMemorySegment(F, values, v0 + position * row, ORDER);
      FloatVector x1 = FloatVector.fromMemorySegment(F, values, v1 + position * row, ORDER);
      FloatVector pa =
          FloatVector.broadcast(F, scratch.get(ValueLayout.JAVA_FLOAT, p0 + position * 4L));
      FloatVector pb =
          FloatVector.broadcast(F, scratch.get(ValueLayout.JAVA_FLOAT, p1 + position * 4L));
      a0 = x0.fma(pa, a0);
      a1 = x1.fma(pa, a1);
      b0 = x0.fma(pb, b0);
      b1 = x1.fma(pb, b1);
    }
    a0 = FloatVector.fromMemorySegment(F, scratch, o0, ORDER).add(a0);
    a1 = FloatVector.fromMemorySegment(F, scratch, o0 + vector, ORDER).add(a1);
    b0 = FloatVector.fromMemorySegment(F, scratch, o1, ORDER).add(b0);
    b1 = FloatVector.fromMemorySegment(F, scratch, o1 + vector, ORDER).add(b1);
    a0.intoMemorySegment(scratch, o0, ORDER);
    a1.intoMemorySegment(scratch, o0 + vector, ORDER);
    b0.intoMemorySegment(scratch, o1, ORDER);
    b1.intoMemorySegment(scratch, o1 + vector, ORDER);
  }

  private static FloatVector half(IntVector words) {
    return words
        .lanewise(VectorOperators.ASHR, 3)
        .and(HALF_MASK)
        .reinterpretAsFloats()
        .mul(HALF_SCALE);
  }
}
