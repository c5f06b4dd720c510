package dev.caravan.worker.kernel.simd;

import static dev.caravan.worker.kernel.simd.Lanes.F;
import static dev.caravan.worker.kernel.simd.Lanes.I;

import dev.caravan.worker.kernel.Exponential;
import dev.caravan.worker.kernel.LaneSum;
import dev.caravan.worker.tensor.Activations;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/** What is computed number by number, and the mean square. Offsets are bytes, counts numbers. */
final class SimdElementwise {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int STEP = Lanes.COUNT;

  private SimdElementwise() {}

  /** Sums the squares of each lane i mod 16 into lanes; see {@link LaneSum}. */
  static void squares(MemorySegment x, long at, int columns, float[] lanes) {
    // The padding of a row is zero and adds nothing.
    int padded = Math.ceilDiv(columns, LaneSum.LANES) * LaneSum.LANES;
    for (int lane = 0; lane < LaneSum.LANES; lane += STEP) {
      FloatVector total = FloatVector.zero(F);
      for (int start = 0; start < padded; start += LaneSum.CHUNK) {
        FloatVector chunk = FloatVector.zero(F);
        int end = Math.min(padded, start + LaneSum.CHUNK);
        for (int k = start; k < end; k += LaneSum.LANES) {
          FloatVector v = FloatVector.fromMemorySegment(F, x, at + 4L * (k + lane), ORDER);
          chunk = v.fma(v, chunk);
        }
        total = total.add(chunk);
      }
      total.intoArray(lanes, lane);
    }
  }

  static void scale(
      MemorySegment x,
      long at,
      float factor,
      MemorySegment weight,
      MemorySegment out,
      long to,
      int columns) {
    int k = 0;
    for (; k + STEP <= columns; k += STEP) {
      FloatVector v = FloatVector.fromMemorySegment(F, x, at + 4L * k, ORDER);
      FloatVector w = FloatVector.fromMemorySegment(F, weight, 4L * k, ORDER);
      v.mul(factor).mul(w).intoMemorySegment(out, to + 4L * k, ORDER);
    }
    for (; k < columns; k++) {
      float v = x.get(ValueLayout.JAVA_FLOAT, at + 4L * k);
      float w = weight.get(ValueLayout.JAVA_FLOAT, 4L * k);
      out.set(ValueLayout.JAVA_FLOAT, to + 4L * k, v * factor * w);
    }
  }

  static void rotate(
      MemorySegment x, long at, MemorySegment cos, long c, MemorySegment sin, long s, int half) {
    long other = at + 4L * half;
    int i = 0;
    for (; i + STEP <= half; i += STEP) {
      FloatVector a = FloatVector.fromMemorySegment(F, x, at + 4L * i, ORDER);
      FloatVector b = FloatVector.fromMemorySegment(F, x, other + 4L * i, ORDER);
      FloatVector cv = FloatVector.fromMemorySegment(F, cos, c + 4L * i, ORDER);
      FloatVector sv = FloatVector.fromMemorySegment(F, sin, s + 4L * i, ORDER);
      a.fma(cv, b.mul(sv).neg()).intoMemorySegment(x, at + 4L * i, ORDER);
      b.fma(cv, a.mul(sv)).intoMemorySegment(x, other + 4L * i, ORDER);
    }
    for (; i < half; i++) {
      float a = x.get(ValueLayout.JAVA_FLOAT, at + 4L * i);
      float b = x.get(ValueLayout.JAVA_FLOAT, other + 4L * i);
      float cv = cos.get(ValueLayout.JAVA_FLOAT, c + 4L * i);
      float sv = sin.get(ValueLayout.JAVA_FLOAT, s + 4L * i);
      x.set(ValueLayout.JAVA_FLOAT, at + 4L * i, Math.fma(a, cv, -(b * sv)));
      x.set(ValueLayout.JAVA_FLOAT, other + 4L * i, Math.fma(b, cv, a * sv));
    }
  }

  static void swiglu(Activations gate, Activations up, Activations out, int row, int from, int to) {
    long g = gate.offset(row);
    long u = up.offset(row);
    long o = out.offset(row);
    int k = from;
    for (; k + STEP <= to; k += STEP) {
      FloatVector v = FloatVector.fromMemorySegment(F, gate.data(), g + 4L * k, ORDER);
      FloatVector w = FloatVector.fromMemorySegment(F, up.data(), u + 4L * k, ORDER);
      v.div(exp(v.neg()).add(1f)).mul(w).intoMemorySegment(out.data(), o + 4L * k, ORDER);
    }
    for (; k < to; k++) {
      float v = gate.get(row, k);
      out.set(row, k, v / (1f + Exponential.exp(-v)) * up.get(row, k));
    }
  }

  static void add(MemorySegment x, long at, MemorySegment y, long from, int columns) {
    int k = 0;
    for (; k + STEP <= columns; k += STEP) {
      FloatVector v = FloatVector.fromMemorySegment(F, x, at + 4L * k, ORDER);
      v.add(FloatVector.fromMemorySegment(F, y, from + 4L * k, ORDER))
          .intoMemorySegment(x, at + 4L * k, ORDER);
    }
    for (; k < columns; k++) {
      float sum =
          x.get(ValueLayout.JAVA_FLOAT, at + 4L * k) + y.get(ValueLayout.JAVA_FLOAT, from + 4L * k);
      x.set(ValueLayout.JAVA_FLOAT, at + 4L * k, sum);
    }
  }

  /** See {@link Exponential}: the same operations. */
  static FloatVector exp(FloatVector x) {
    FloatVector c = x.min(Exponential.MAX_X).max(Exponential.MIN_X);
    FloatVector rounded = c.fma(Exponential.LOG2_E, Exponential.ROUND);
    IntVector n = rounded.reinterpretAsInts().sub(Exponential.ROUND_BITS);
    FloatVector whole = rounded.sub(Exponential.ROUND);
    FloatVector r = whole.fma(FloatVector.broadcast(F, Exponential.MINUS_LN2_HIGH), c);
    r = whole.fma(FloatVector.broadcast(F, Exponential.MINUS_LN2_LOW), r);
    FloatVector p = r.fma(Exponential.C6, Exponential.C5);
    p = p.fma(r, FloatVector.broadcast(F, Exponential.C4));
    p = p.fma(r, FloatVector.broadcast(F, Exponential.C3));
    p = p.fma(r, FloatVector.broadcast(F, Exponential.C2));
    p = p.fma(r, FloatVector.broadcast(F, Exponential.C1));
    p = p.fma(r.mul(r), r).add(1f);
    IntVector half = n.lanewise(VectorOperators.ASHR, 1);
    return p.mul(powerOfTwo(half)).mul(powerOfTwo(n.sub(half)));
  }

  private static FloatVector powerOfTwo(IntVector exponent) {
    return exponent
        .add(IntVector.broadcast(I, Exponential.EXPONENT_BIAS))
        .lanewise(VectorOperators.LSHL, Exponential.MANTISSA_BITS)
        .reinterpretAsFloats();
  }
}
