package dev.caravan.worker.kernel.simd;

import static dev.caravan.worker.kernel.simd.Lanes.F;
import static dev.caravan.worker.kernel.simd.Lanes.I;

import dev.caravan.worker.tensor.Q4Layout;
import dev.caravan.worker.tensor.Q8Layout;
import dev.caravan.worker.tensor.WeightLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/**
 * One activation row times packed weights, the weights read once: what a decode step is made of.
 *
 * <p>Each kernel takes two vectors of rows: {@code w0} and {@code w1} are the byte offsets of their
 * first lanes in the first line of their groups; {@code x} and {@code d} the byte offsets of the
 * row's values (or factors) and block scales; results go to {@code out} at {@code o0} and {@code
 * o1}. Methods are flat, long and take many arguments because the compiler boxes vectors that cross
 * a call it does not inline.
 */
final class OneRowKernels {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int LINE = WeightLayout.LINE_BYTES;

  /** A half float's bits at their place in a float: its value times 2^-112. */
  static final int HALF_MASK = 0x8fffe000;

  static final float HALF_SCALE = 0x1p112f;

  private OneRowKernels() {}

  /**
   * Q4_0 times int8: 16-bit sums modulo 2^16, exact because no sum of a block exceeds 8 * 127 * 32.
   * The factors make the neighbouring nibbles of a lane cancel, so no nibble is masked out.
   */
  static void q4(
      MemorySegment w,
      long w0,
      long w1,
      int blocks,
      MemorySegment factors,
      long x,
      MemorySegment scales,
      MemorySegment sums,
      long d,
      MemorySegment out,
      long o0,
      long o1) {
    FloatVector acc0 = FloatVector.zero(F);
    FloatVector acc1 = FloatVector.zero(F);
    for (int block = 0; block < blocks; block++) {
      long tile = (long) (block >> 1) * Q4Layout.TILE_BYTES;
      long lines = tile + LINE + (block & 1) * (4 * LINE);
      int init = -8 * (int) sums.get(ValueLayout.JAVA_FLOAT, d + 4L * block) & 0xffff;
      ShortVector s0 = IntVector.broadcast(I, init).reinterpretAsShorts();
      ShortVector s1 = s0;
      for (int line = 0; line < 4; line++) {
        long f = x + block * 64L + line * 16L;
        ShortVector z0 = broadcast(factors, f);
        ShortVector z1 = broadcast(factors, f + 4);
        ShortVector z2 = broadcast(factors, f + 8);
        ShortVector z3 = broadcast(factors, f + 12);
        long at = lines + (long) line * LINE;
        IntVector a = IntVector.fromMemorySegment(I, w, w0 + at, ORDER);
        IntVector b = IntVector.fromMemorySegment(I, w, w1 + at, ORDER);
        s0 = s0.add(a.reinterpretAsShorts().mul(z0));
        s1 = s1.add(b.reinterpretAsShorts().mul(z0));
        s0 = s0.add(a.lanewise(VectorOperators.LSHR, 4).reinterpretAsShorts().mul(z1));
        s1 = s1.add(b.lanewise(VectorOperators.LSHR, 4).reinterpretAsShorts().mul(z1));
        s0 = s0.add(a.lanewise(VectorOperators.LSHR, 8).reinterpretAsShorts().mul(z2));
        s1 = s1.add(b.lanewise(VectorOperators.LSHR, 8).reinterpretAsShorts().mul(z2));
        s0 = s0.add(a.lanewise(VectorOperators.LSHR, 12).reinterpretAsShorts().mul(z3));
        s1 = s1.add(b.lanewise(VectorOperators.LSHR, 12).reinterpretAsShorts().mul(z3));
      }
      int up = 16 - 16 * (block & 1);
      FloatVector dx = FloatVector.broadcast(F, scales.get(ValueLayout.JAVA_FLOAT, d + 4L * block));
      IntVector i0 = s0.reinterpretAsInts();
      IntVector i1 = s1.reinterpretAsInts();
      i0 = i0.add(i0.lanewise(VectorOperators.LSHL, 16)).lanewise(VectorOperators.ASHR, 16);
      i1 = i1.add(i1.lanewise(VectorOperators.LSHL, 16)).lanewise(VectorOperators.ASHR, 16);
      FloatVector t0 = (FloatVector) i0.convert(VectorOperators.I2F, 0);
      FloatVector t1 = (FloatVector) i1.convert(VectorOperators.I2F, 0);
      FloatVector c0 =
          IntVector.fromMemorySegment(I, w, w0 + tile, ORDER)
              .lanewise(VectorOperators.LSHL, up)
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_MASK)
              .reinterpretAsFloats()
              .mul(HALF_SCALE);
      acc0 = dx.fma(t0.mul(c0), acc0);
      FloatVector c1 =
          IntVector.fromMemorySegment(I, w, w1 + tile, ORDER)
              .lanewise(VectorOperators.LSHL, up)
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_MASK)
              .reinterpretAsFloats()
              .mul(HALF_SCALE);
      acc1 = dx.fma(t1.mul(c1), acc1);
    }
    acc0.intoMemorySegment(out, o0, ORDER);
    acc1.intoMemorySegment(out, o1, ORDER);
  }

  /** Q8_0 times int8: two products fit 16 bits, widened to 32. */
  static void q8(
      MemorySegment w,
      long w0,
      long w1,
      int blocks,
      MemorySegment factors,
      long x,
      MemorySegment scales,
      long d,
      MemorySegment out,
      long o0,
      long o1) {
    FloatVector acc0 = FloatVector.zero(F);
    FloatVector acc1 = FloatVector.zero(F);
    for (int block = 0; block < blocks; block++) {
      long tile = (long) (block >> 1) * Q8Layout.TILE_BYTES;
      long lines = tile + LINE + (block & 1) * (8 * LINE);
      IntVector i0 = IntVector.zero(I);
      IntVector i1 = IntVector.zero(I);
      for (int line = 0; line < 8; line++) {
        long f = x + block * 64L + line * 8L;
        ShortVector even = broadcast(factors, f);
        ShortVector odd = broadcast(factors, f + 4);
        long at = lines + (long) line * LINE;
        ShortVector a = IntVector.fromMemorySegment(I, w, w0 + at, ORDER).reinterpretAsShorts();
        ShortVector b = IntVector.fromMemorySegment(I, w, w1 + at, ORDER).reinterpretAsShorts();
        IntVector p0 =
            a.lanewise(VectorOperators.LSHL, 8)
                .lanewise(VectorOperators.ASHR, 8)
                .mul(even)
                .add(a.lanewise(VectorOperators.ASHR, 8).mul(odd))
                .reinterpretAsInts();
        IntVector p1 =
            b.lanewise(VectorOperators.LSHL, 8)
                .lanewise(VectorOperators.ASHR, 8)
                .mul(even)
                .add(b.lanewise(VectorOperators.ASHR, 8).mul(odd))
                .reinterpretAsInts();
        i0 =
            i0.add(p0.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16))
                .add(p0.lanewise(VectorOperators.ASHR, 16));
        i1 =
            i1.add(p1.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16))
                .add(p1.lanewise(VectorOperators.ASHR, 16));
      }
      int up = 16 - 16 * (block & 1);
      FloatVector dx = FloatVector.broadcast(F, scales.get(ValueLayout.JAVA_FLOAT, d + 4L * block));
      FloatVector t0 = (FloatVector) i0.convert(VectorOperators.I2F, 0);
      FloatVector t1 = (FloatVector) i1.convert(VectorOperators.I2F, 0);
      FloatVector c0 =
          IntVector.fromMemorySegment(I, w, w0 + tile, ORDER)
              .lanewise(VectorOperators.LSHL, up)
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_MASK)
              .reinterpretAsFloats()
              .mul(HALF_SCALE);
      acc0 = dx.fma(t0.mul(c0), acc0);
      FloatVector c1 =
          IntVector.fromMemorySegment(I, w, w1 + tile, ORDER)
              .lanewise(VectorOperators.LSHL, up)
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_MASK)
              .reinterpretAsFloats()
              .mul(HALF_SCALE);
      acc1 = dx.fma(t1.mul(c1), acc1);
    }
    acc0.intoMemorySegment(out, o0, ORDER);
    acc1.intoMemorySegment(out, o1, ORDER);
  }

  static void f16(
      MemorySegment w,
      long w0,
      long w1,
      int blocks,
      MemorySegment values,
      long x,
      MemorySegment scales,
      long d,
      MemorySegment out,
      long o0,
      long o1) {
    FloatVector acc0 = FloatVector.zero(F);
    FloatVector acc1 = FloatVector.zero(F);
    for (int block = 0; block < blocks; block++) {
      FloatVector s0 = FloatVector.zero(F);
      FloatVector s1 = FloatVector.zero(F);
      for (int line = 0; line < 16; line++) {
        long at = ((long) block * 16 + line) * LINE;
        IntVector a = IntVector.fromMemorySegment(I, w, w0 + at, ORDER);
        IntVector b = IntVector.fromMemorySegment(I, w, w1 + at, ORDER);
        long xk = x + block * 128L + line * 8L;
        FloatVector even = FloatVector.broadcast(F, values.get(ValueLayout.JAVA_FLOAT, xk));
        FloatVector odd = FloatVector.broadcast(F, values.get(ValueLayout.JAVA_FLOAT, xk + 4));
        s0 = low(a).mul(HALF_SCALE).fma(even, s0);
        s1 = low(b).mul(HALF_SCALE).fma(even, s1);
        s0 = high(a).mul(HALF_SCALE).fma(odd, s0);
        s1 = high(b).mul(HALF_SCALE).fma(odd, s1);
      }
      FloatVector dx = FloatVector.broadcast(F, scales.get(ValueLayout.JAVA_FLOAT, d + 4L * block));
      acc0 = dx.fma(s0, acc0);
      acc1 = dx.fma(s1, acc1);
    }
    acc0.intoMemorySegment(out, o0, ORDER);
    acc1.intoMemorySegment(out, o1, ORDER);
  }

  static void bf16(
      MemorySegment w,
      long w0,
      long w1,
      int blocks,
      MemorySegment values,
      long x,
      MemorySegment scales,
      long d,
      MemorySegment out,
      long o0,
      long o1) {
    FloatVector acc0 = FloatVector.zero(F);
    FloatVector acc1 = FloatVector.zero(F);
    for (int block = 0; block < blocks; block++) {
      FloatVector s0 = FloatVector.zero(F);
      FloatVector s1 = FloatVector.zero(F);
      for (int line = 0; line < 16; line++) {
        long at = ((long) block * 16 + line) * LINE;
        IntVector a = IntVector.fromMemorySegment(I, w, w0 + at, ORDER);
        IntVector b = IntVector.fromMemorySegment(I, w, w1 + at, ORDER);
        long xk = x + block * 128L + line * 8L;
        FloatVector even = FloatVector.broadcast(F, values.get(ValueLayout.JAVA_FLOAT, xk));
        FloatVector odd = FloatVector.broadcast(F, values.get(ValueLayout.JAVA_FLOAT, xk + 4));
        s0 = a.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(even, s0);
        s1 = b.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(even, s1);
        s0 = a.and(0xffff0000).reinterpretAsFloats().fma(odd, s0);
        s1 = b.and(0xffff0000).reinterpretAsFloats().fma(odd, s1);
      }
      FloatVector dx = FloatVector.broadcast(F, scales.get(ValueLayout.JAVA_FLOAT, d + 4L * block));
      acc0 = dx.fma(s0, acc0);
      acc1 = dx.fma(s1, acc1);
    }
    acc0.intoMemorySegment(out, o0, ORDER);
    acc1.intoMemorySegment(out, o1, ORDER);
  }

  static void f32(
      MemorySegment w,
      long w0,
      long w1,
      int blocks,
      MemorySegment values,
      long x,
      MemorySegment scales,
      long d,
      MemorySegment out,
      long o0,
      long o1) {
    FloatVector acc0 = FloatVector.zero(F);
    FloatVector acc1 = FloatVector.zero(F);
    for (int block = 0; block < blocks; block++) {
      FloatVector s0 = FloatVector.zero(F);
      FloatVector s1 = FloatVector.zero(F);
      for (int line = 0; line < 32; line++) {
        long at = ((long) block * 32 + line) * LINE;
        long xk = x + block * 128L + line * 4L;
        FloatVector xv = FloatVector.broadcast(F, values.get(ValueLayout.JAVA_FLOAT, xk));
        s0 = FloatVector.fromMemorySegment(F, w, w0 + at, ORDER).fma(xv, s0);
        s1 = FloatVector.fromMemorySegment(F, w, w1 + at, ORDER).fma(xv, s1);
      }
      FloatVector dx = FloatVector.broadcast(F, scales.get(ValueLayout.JAVA_FLOAT, d + 4L * block));
      acc0 = dx.fma(s0, acc0);
      acc1 = dx.fma(s1, acc1);
    }
    acc0.intoMemorySegment(out, o0, ORDER);
    acc1.intoMemorySegment(out, o1, ORDER);
  }

  private static ShortVector broadcast(MemorySegment factors, long offset) {
    return IntVector.broadcast(I, factors.get(ValueLayout.JAVA_INT, offset)).reinterpretAsShorts();
  }

  /** The half floats in the low halves, times 2^-112. */
  private static FloatVector low(IntVector words) {
    return high(words.lanewise(VectorOperators.LSHL, 16));
  }

  /** The half floats in the high halves, times 2^-112. */
  private static FloatVector high(IntVector words) {
    return words.lanewise(VectorOperators.ASHR, 3).and(HALF_MASK).reinterpretAsFloats();
  }
}
