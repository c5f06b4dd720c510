package dev.caravan.worker.kernel.simd;

import static dev.caravan.worker.kernel.simd.Lanes.F;
import static dev.caravan.worker.kernel.simd.Lanes.I;
import static dev.caravan.worker.kernel.simd.Memory.ADDRESS;
import static dev.caravan.worker.kernel.simd.Memory.ALL;

import dev.caravan.worker.tensor.WeightLayout;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * One activation row times weights of a float type.
 *
 * <p>Every kernel takes four vectors of rows, two from {@code w0} and two from {@code w1}: the
 * second of a pair follows the first in its line, or lies {@code next} bytes further, in another
 * group, where a vector is as long as a line. All are addresses (see {@link Memory}): of the first
 * lanes in the first line of their groups, of the row's values and block scales, and of {@code
 * out}, where four vectors of results are written one after the other. Methods are flat, long and
 * take many arguments because the compiler boxes vectors that cross a call it does not inline.
 */
final class FloatKernels {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int LINE = WeightLayout.LINE_BYTES;
  private static final int HALF_MASK = Halves.MASK;
  private static final float HALF_SCALE = Halves.SCALE;

  private FloatKernels() {}

  static void f16(long w0, long w1, long next, int blocks, long values, long scales, long out) {
    FloatVector acc0 = FloatVector.zero(F);
    FloatVector acc1 = FloatVector.zero(F);
    FloatVector acc2 = FloatVector.zero(F);
    FloatVector acc3 = FloatVector.zero(F);
    for (int block = 0; block < blocks; block++) {
      FloatVector s0 = FloatVector.zero(F);
      FloatVector s1 = FloatVector.zero(F);
      FloatVector s2 = FloatVector.zero(F);
      FloatVector s3 = FloatVector.zero(F);
      for (int line = 0; line < 16; line++) {
        long x = (values + block * 128L + line * 8L) & ADDRESS;
        long l0 = (w0 + ((long) block * 16 + line) * LINE) & ADDRESS;
        long l0b = Lanes.BITS == 512 ? (l0 + next) & ADDRESS : l0 + Lanes.BYTES;
        long l1 = (w1 + ((long) block * 16 + line) * LINE) & ADDRESS;
        long l1b = Lanes.BITS == 512 ? (l1 + next) & ADDRESS : l1 + Lanes.BYTES;
        FloatVector even = FloatVector.broadcast(F, ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, x));
        FloatVector odd =
            FloatVector.broadcast(F, ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, x + 4));
        IntVector a0 = IntVector.fromMemorySegment(I, ALL, l0, ORDER);
        s0 =
            a0.lanewise(VectorOperators.LSHL, 16)
                .lanewise(VectorOperators.ASHR, 3)
                .and(HALF_MASK)
                .reinterpretAsFloats()
                .mul(HALF_SCALE)
                .fma(even, s0);
        s0 =
            a0.lanewise(VectorOperators.ASHR, 3)
                .and(HALF_MASK)
                .reinterpretAsFloats()
                .mul(HALF_SCALE)
                .fma(odd, s0);
        IntVector a1 = IntVector.fromMemorySegment(I, ALL, l0b, ORDER);
        s1 =
            a1.lanewise(VectorOperators.LSHL, 16)
                .lanewise(VectorOperators.ASHR, 3)
                .and(HALF_MASK)
                .reinterpretAsFloats()
                .mul(HALF_SCALE)
                .fma(even, s1);
        s1 =
            a1.lanewise(VectorOperators.ASHR, 3)
                .and(HALF_MASK)
                .reinterpretAsFloats()
                .mul(HALF_SCALE)
                .fma(odd, s1);
        IntVector a2 = IntVector.fromMemorySegment(I, ALL, l1, ORDER);
        s2 =
            a2.lanewise(VectorOperators.LSHL, 16)
                .lanewise(VectorOperators.ASHR, 3)
                .and(HALF_MASK)
                .reinterpretAsFloats()
                .mul(HALF_SCALE)
                .fma(even, s2);
        s2 =
            a2.lanewise(VectorOperators.ASHR, 3)
                .and(HALF_MASK)
                .reinterpretAsFloats()
                .mul(HALF_SCALE)
                .fma(odd, s2);
        IntVector a3 = IntVector.fromMemorySegment(I, ALL, l1b, ORDER);
        s3 =
            a3.lanewise(VectorOperators.LSHL, 16)
                .lanewise(VectorOperators.ASHR, 3)
                .and(HALF_MASK)
                .reinterpretAsFloats()
                .mul(HALF_SCALE)
                .fma(even, s3);
        s3 =
            a3.lanewise(VectorOperators.ASHR, 3)
                .and(HALF_MASK)
                .reinterpretAsFloats()
                .mul(HALF_SCALE)
                .fma(odd, s3);
      }
      FloatVector dx =
          FloatVector.broadcast(
              F, ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, (scales + 4L * block) & ADDRESS));
      acc0 = dx.fma(s0, acc0);
      acc1 = dx.fma(s1, acc1);
      acc2 = dx.fma(s2, acc2);
      acc3 = dx.fma(s3, acc3);
    }
    acc0.intoMemorySegment(ALL, out, ORDER);
    acc1.intoMemorySegment(ALL, out + 1 * Lanes.BYTES, ORDER);
    acc2.intoMemorySegment(ALL, out + 2 * Lanes.BYTES, ORDER);
    acc3.intoMemorySegment(ALL, out + 3 * Lanes.BYTES, ORDER);
  }

  static void bf16(long w0, long w1, long next, int blocks, long values, long scales, long out) {
    FloatVector acc0 = FloatVector.zero(F);
    FloatVector acc1 = FloatVector.zero(F);
    FloatVector acc2 = FloatVector.zero(F);
    FloatVector acc3 = FloatVector.zero(F);
    for (int block = 0; block < blocks; block++) {
      FloatVector s0 = FloatVector.zero(F);
      FloatVector s1 = FloatVector.zero(F);
      FloatVector s2 = FloatVector.zero(F);
      FloatVector s3 = FloatVector.zero(F);
      for (int line = 0; line < 16; line++) {
        long x = (values + block * 128L + line * 8L) & ADDRESS;
        long l0 = (w0 + ((long) block * 16 + line) * LINE) & ADDRESS;
        long l0b = Lanes.BITS == 512 ? (l0 + next) & ADDRESS : l0 + Lanes.BYTES;
        long l1 = (w1 + ((long) block * 16 + line) * LINE) & ADDRESS;
        long l1b = Lanes.BITS == 512 ? (l1 + next) & ADDRESS : l1 + Lanes.BYTES;
        FloatVector even = FloatVector.broadcast(F, ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, x));
        FloatVector odd =
            FloatVector.broadcast(F, ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, x + 4));
        IntVector a0 = IntVector.fromMemorySegment(I, ALL, l0, ORDER);
        s0 = a0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(even, s0);
        s0 = a0.and(0xffff0000).reinterpretAsFloats().fma(odd, s0);
        IntVector a1 = IntVector.fromMemorySegment(I, ALL, l0b, ORDER);
        s1 = a1.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(even, s1);
        s1 = a1.and(0xffff0000).reinterpretAsFloats().fma(odd, s1);
        IntVector a2 = IntVector.fromMemorySegment(I, ALL, l1, ORDER);
        s2 = a2.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(even, s2);
        s2 = a2.and(0xffff0000).reinterpretAsFloats().fma(odd, s2);
        IntVector a3 = IntVector.fromMemorySegment(I, ALL, l1b, ORDER);
        s3 = a3.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(even, s3);
        s3 = a3.and(0xffff0000).reinterpretAsFloats().fma(odd, s3);
      }
      FloatVector dx =
          FloatVector.broadcast(
              F, ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, (scales + 4L * block) & ADDRESS));
      acc0 = dx.fma(s0, acc0);
      acc1 = dx.fma(s1, acc1);
      acc2 = dx.fma(s2, acc2);
      acc3 = dx.fma(s3, acc3);
    }
    acc0.intoMemorySegment(ALL, out, ORDER);
    acc1.intoMemorySegment(ALL, out + 1 * Lanes.BYTES, ORDER);
    acc2.intoMemorySegment(ALL, out + 2 * Lanes.BYTES, ORDER);
    acc3.intoMemorySegment(ALL, out + 3 * Lanes.BYTES, ORDER);
  }

  static void f32(long w0, long w1, long next, int blocks, long values, long scales, long out) {
    FloatVector acc0 = FloatVector.zero(F);
    FloatVector acc1 = FloatVector.zero(F);
    FloatVector acc2 = FloatVector.zero(F);
    FloatVector acc3 = FloatVector.zero(F);
    for (int block = 0; block < blocks; block++) {
      FloatVector s0 = FloatVector.zero(F);
      FloatVector s1 = FloatVector.zero(F);
      FloatVector s2 = FloatVector.zero(F);
      FloatVector s3 = FloatVector.zero(F);
      for (int line = 0; line < 32; line++) {
        long x = (values + block * 128L + line * 4L) & ADDRESS;
        long l0 = (w0 + ((long) block * 32 + line) * LINE) & ADDRESS;
        long l0b = Lanes.BITS == 512 ? (l0 + next) & ADDRESS : l0 + Lanes.BYTES;
        long l1 = (w1 + ((long) block * 32 + line) * LINE) & ADDRESS;
        long l1b = Lanes.BITS == 512 ? (l1 + next) & ADDRESS : l1 + Lanes.BYTES;
        FloatVector xk = FloatVector.broadcast(F, ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, x));
        s0 = FloatVector.fromMemorySegment(F, ALL, l0, ORDER).fma(xk, s0);
        s1 = FloatVector.fromMemorySegment(F, ALL, l0b, ORDER).fma(xk, s1);
        s2 = FloatVector.fromMemorySegment(F, ALL, l1, ORDER).fma(xk, s2);
        s3 = FloatVector.fromMemorySegment(F, ALL, l1b, ORDER).fma(xk, s3);
      }
      FloatVector dx =
          FloatVector.broadcast(
              F, ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, (scales + 4L * block) & ADDRESS));
      acc0 = dx.fma(s0, acc0);
      acc1 = dx.fma(s1, acc1);
      acc2 = dx.fma(s2, acc2);
      acc3 = dx.fma(s3, acc3);
    }
    acc0.intoMemorySegment(ALL, out, ORDER);
    acc1.intoMemorySegment(ALL, out + 1 * Lanes.BYTES, ORDER);
    acc2.intoMemorySegment(ALL, out + 2 * Lanes.BYTES, ORDER);
    acc3.intoMemorySegment(ALL, out + 3 * Lanes.BYTES, ORDER);
  }
}
