package dev.caravan.worker.kernel.simd;

import static dev.caravan.worker.kernel.simd.Lanes.F;
import static dev.caravan.worker.kernel.simd.Lanes.I;
import static dev.caravan.worker.kernel.simd.Memory.ADDRESS;
import static dev.caravan.worker.kernel.simd.Memory.ALL;

import dev.caravan.model.checkpoint.DType;
import dev.caravan.worker.tensor.Q4KLayout;
import dev.caravan.worker.tensor.Q4Layout;
import dev.caravan.worker.tensor.WeightLayout;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/**
 * One activation row times weights of nibbles: Q4_0 and Q4_K, int8 activations.
 *
 * <p>A kernel takes four vectors of rows, two from {@code w0} and two from {@code w1}, and the file
 * is long because each is written out flat: the second of a pair follows the first in its line, or
 * lies {@code next} bytes further, in another group, where a vector is as long as a line. All are
 * addresses (see {@link Memory}): of the first lanes in the first line of their groups, of the
 * row's factors and block scales, and of {@code out}, where four vectors of results are written one
 * after the other. Methods are flat, long and take many arguments because the compiler boxes
 * vectors that cross a call it does not inline.
 */
final class NibbleKernels {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int LINE = WeightLayout.LINE_BYTES;
  private static final int HALF_MASK = Halves.MASK;
  private static final float HALF_SCALE = Halves.SCALE;
  private static final int Q4_K_TILE_BYTES = ((Q4KLayout) WeightLayout.of(DType.Q4_K)).tileBytes();

  private NibbleKernels() {}

  /**
   * Q4_0: 16-bit sums modulo 2^16, exact because no sum of a block exceeds 8 * 127 * 32. The
   * factors make the neighbouring nibbles of a lane cancel, so no nibble is masked out.
   */
  static void q4(
      long w0,
      long w1,
      long next,
      int blocks,
      long factors,
      long scales,
      long zeroPoints,
      long out) {
    FloatVector acc0 = FloatVector.zero(F);
    FloatVector acc1 = FloatVector.zero(F);
    FloatVector acc2 = FloatVector.zero(F);
    FloatVector acc3 = FloatVector.zero(F);
    for (int block = 0; block < blocks; block++) {
      long tile = (long) (block >> 1) * Q4Layout.TILE_BYTES;
      long lines = tile + LINE + (block & 1) * (4 * LINE);
      int init = ALL.get(ValueLayout.JAVA_INT_UNALIGNED, (zeroPoints + 4L * block) & ADDRESS);
      ShortVector s0 = IntVector.broadcast(I, init).reinterpretAsShorts();
      ShortVector s1 = s0;
      ShortVector s2 = s0;
      ShortVector s3 = s0;
      for (int line = 0; line < 4; line++) {
        long f = (factors + block * 64L + line * 16L) & ADDRESS;
        ShortVector z0 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f))
                .reinterpretAsShorts();
        ShortVector z1 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f + 4))
                .reinterpretAsShorts();
        ShortVector z2 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f + 8))
                .reinterpretAsShorts();
        ShortVector z3 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f + 12))
                .reinterpretAsShorts();
        long l0 = (w0 + lines + (long) line * LINE) & ADDRESS;
        long l0b = Lanes.BITS == 512 ? (l0 + next) & ADDRESS : l0 + Lanes.BYTES;
        long l1 = (w1 + lines + (long) line * LINE) & ADDRESS;
        long l1b = Lanes.BITS == 512 ? (l1 + next) & ADDRESS : l1 + Lanes.BYTES;
        IntVector a0 = IntVector.fromMemorySegment(I, ALL, l0, ORDER);
        s0 = s0.add(a0.reinterpretAsShorts().mul(z0));
        s0 = s0.add(a0.lanewise(VectorOperators.LSHR, 4).reinterpretAsShorts().mul(z1));
        s0 = s0.add(a0.lanewise(VectorOperators.LSHR, 8).reinterpretAsShorts().mul(z2));
        s0 = s0.add(a0.lanewise(VectorOperators.LSHR, 12).reinterpretAsShorts().mul(z3));
        IntVector a1 = IntVector.fromMemorySegment(I, ALL, l0b, ORDER);
        s1 = s1.add(a1.reinterpretAsShorts().mul(z0));
        s1 = s1.add(a1.lanewise(VectorOperators.LSHR, 4).reinterpretAsShorts().mul(z1));
        s1 = s1.add(a1.lanewise(VectorOperators.LSHR, 8).reinterpretAsShorts().mul(z2));
        s1 = s1.add(a1.lanewise(VectorOperators.LSHR, 12).reinterpretAsShorts().mul(z3));
        IntVector a2 = IntVector.fromMemorySegment(I, ALL, l1, ORDER);
        s2 = s2.add(a2.reinterpretAsShorts().mul(z0));
        s2 = s2.add(a2.lanewise(VectorOperators.LSHR, 4).reinterpretAsShorts().mul(z1));
        s2 = s2.add(a2.lanewise(VectorOperators.LSHR, 8).reinterpretAsShorts().mul(z2));
        s2 = s2.add(a2.lanewise(VectorOperators.LSHR, 12).reinterpretAsShorts().mul(z3));
        IntVector a3 = IntVector.fromMemorySegment(I, ALL, l1b, ORDER);
        s3 = s3.add(a3.reinterpretAsShorts().mul(z0));
        s3 = s3.add(a3.lanewise(VectorOperators.LSHR, 4).reinterpretAsShorts().mul(z1));
        s3 = s3.add(a3.lanewise(VectorOperators.LSHR, 8).reinterpretAsShorts().mul(z2));
        s3 = s3.add(a3.lanewise(VectorOperators.LSHR, 12).reinterpretAsShorts().mul(z3));
      }
      int up = 16 - 16 * (block & 1);
      FloatVector dx =
          FloatVector.broadcast(
              F, ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, (scales + 4L * block) & ADDRESS));
      long t0 = (w0 + tile) & ADDRESS;
      long t0b = Lanes.BITS == 512 ? (t0 + next) & ADDRESS : t0 + Lanes.BYTES;
      long t1 = (w1 + tile) & ADDRESS;
      long t1b = Lanes.BITS == 512 ? (t1 + next) & ADDRESS : t1 + Lanes.BYTES;
      IntVector i0 = s0.reinterpretAsInts();
      i0 = i0.add(i0.lanewise(VectorOperators.LSHL, 16)).lanewise(VectorOperators.ASHR, 16);
      FloatVector c0 =
          IntVector.fromMemorySegment(I, ALL, t0, ORDER)
              .lanewise(VectorOperators.LSHL, up)
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_MASK)
              .reinterpretAsFloats()
              .mul(HALF_SCALE);
      acc0 = dx.fma(((FloatVector) i0.convert(VectorOperators.I2F, 0)).mul(c0), acc0);
      IntVector i1 = s1.reinterpretAsInts();
      i1 = i1.add(i1.lanewise(VectorOperators.LSHL, 16)).lanewise(VectorOperators.ASHR, 16);
      FloatVector c1 =
          IntVector.fromMemorySegment(I, ALL, t0b, ORDER)
              .lanewise(VectorOperators.LSHL, up)
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_MASK)
              .reinterpretAsFloats()
              .mul(HALF_SCALE);
      acc1 = dx.fma(((FloatVector) i1.convert(VectorOperators.I2F, 0)).mul(c1), acc1);
      IntVector i2 = s2.reinterpretAsInts();
      i2 = i2.add(i2.lanewise(VectorOperators.LSHL, 16)).lanewise(VectorOperators.ASHR, 16);
      FloatVector c2 =
          IntVector.fromMemorySegment(I, ALL, t1, ORDER)
              .lanewise(VectorOperators.LSHL, up)
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_MASK)
              .reinterpretAsFloats()
              .mul(HALF_SCALE);
      acc2 = dx.fma(((FloatVector) i2.convert(VectorOperators.I2F, 0)).mul(c2), acc2);
      IntVector i3 = s3.reinterpretAsInts();
      i3 = i3.add(i3.lanewise(VectorOperators.LSHL, 16)).lanewise(VectorOperators.ASHR, 16);
      FloatVector c3 =
          IntVector.fromMemorySegment(I, ALL, t1b, ORDER)
              .lanewise(VectorOperators.LSHL, up)
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_MASK)
              .reinterpretAsFloats()
              .mul(HALF_SCALE);
      acc3 = dx.fma(((FloatVector) i3.convert(VectorOperators.I2F, 0)).mul(c3), acc3);
    }
    acc0.intoMemorySegment(ALL, out, ORDER);
    acc1.intoMemorySegment(ALL, out + 1 * Lanes.BYTES, ORDER);
    acc2.intoMemorySegment(ALL, out + 2 * Lanes.BYTES, ORDER);
    acc3.intoMemorySegment(ALL, out + 3 * Lanes.BYTES, ORDER);
  }

  /** Q4_K: as Q4_0; what the offset of 8 took is added again, exactly, before scaling. */
  static void q4k(
      long w0, long w1, long next, int blocks, long factors, long scales, long sums, long out) {
    FloatVector acc0 = FloatVector.zero(F);
    FloatVector acc1 = FloatVector.zero(F);
    FloatVector acc2 = FloatVector.zero(F);
    FloatVector acc3 = FloatVector.zero(F);
    for (int block = 0; block < blocks; block++) {
      long tile = (long) (block >> 3) * Q4_K_TILE_BYTES;
      long lines = tile + Q4KLayout.BLOCKS_OFFSET + (block & 7) * (4 * LINE);
      int init =
          -8 * (int) ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, (sums + 4L * block) & ADDRESS)
              & 0xffff;
      ShortVector s0 = IntVector.broadcast(I, init).reinterpretAsShorts();
      ShortVector s1 = s0;
      ShortVector s2 = s0;
      ShortVector s3 = s0;
      for (int line = 0; line < 4; line++) {
        long f = (factors + block * 64L + line * 16L) & ADDRESS;
        ShortVector z0 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f))
                .reinterpretAsShorts();
        ShortVector z1 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f + 4))
                .reinterpretAsShorts();
        ShortVector z2 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f + 8))
                .reinterpretAsShorts();
        ShortVector z3 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f + 12))
                .reinterpretAsShorts();
        long l0 = (w0 + lines + (long) line * LINE) & ADDRESS;
        long l0b = Lanes.BITS == 512 ? (l0 + next) & ADDRESS : l0 + Lanes.BYTES;
        long l1 = (w1 + lines + (long) line * LINE) & ADDRESS;
        long l1b = Lanes.BITS == 512 ? (l1 + next) & ADDRESS : l1 + Lanes.BYTES;
        IntVector a0 = IntVector.fromMemorySegment(I, ALL, l0, ORDER);
        s0 = s0.add(a0.reinterpretAsShorts().mul(z0));
        s0 = s0.add(a0.lanewise(VectorOperators.LSHR, 4).reinterpretAsShorts().mul(z1));
        s0 = s0.add(a0.lanewise(VectorOperators.LSHR, 8).reinterpretAsShorts().mul(z2));
        s0 = s0.add(a0.lanewise(VectorOperators.LSHR, 12).reinterpretAsShorts().mul(z3));
        IntVector a1 = IntVector.fromMemorySegment(I, ALL, l0b, ORDER);
        s1 = s1.add(a1.reinterpretAsShorts().mul(z0));
        s1 = s1.add(a1.lanewise(VectorOperators.LSHR, 4).reinterpretAsShorts().mul(z1));
        s1 = s1.add(a1.lanewise(VectorOperators.LSHR, 8).reinterpretAsShorts().mul(z2));
        s1 = s1.add(a1.lanewise(VectorOperators.LSHR, 12).reinterpretAsShorts().mul(z3));
        IntVector a2 = IntVector.fromMemorySegment(I, ALL, l1, ORDER);
        s2 = s2.add(a2.reinterpretAsShorts().mul(z0));
        s2 = s2.add(a2.lanewise(VectorOperators.LSHR, 4).reinterpretAsShorts().mul(z1));
        s2 = s2.add(a2.lanewise(VectorOperators.LSHR, 8).reinterpretAsShorts().mul(z2));
        s2 = s2.add(a2.lanewise(VectorOperators.LSHR, 12).reinterpretAsShorts().mul(z3));
        IntVector a3 = IntVector.fromMemorySegment(I, ALL, l1b, ORDER);
        s3 = s3.add(a3.reinterpretAsShorts().mul(z0));
        s3 = s3.add(a3.lanewise(VectorOperators.LSHR, 4).reinterpretAsShorts().mul(z1));
        s3 = s3.add(a3.lanewise(VectorOperators.LSHR, 8).reinterpretAsShorts().mul(z2));
        s3 = s3.add(a3.lanewise(VectorOperators.LSHR, 12).reinterpretAsShorts().mul(z3));
      }
      FloatVector dx =
          FloatVector.broadcast(
              F, ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, (scales + 4L * block) & ADDRESS));
      float sum = ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, (sums + 4L * block) & ADDRESS);
      FloatVector x = FloatVector.broadcast(F, sum);
      IntVector offset = IntVector.broadcast(I, 8 * (int) sum);
      int up = 24 - 16 * (block & 1);
      long t0 = (w0 + tile) & ADDRESS;
      long t0b = Lanes.BITS == 512 ? (t0 + next) & ADDRESS : t0 + Lanes.BYTES;
      long t1 = (w1 + tile) & ADDRESS;
      long t1b = Lanes.BITS == 512 ? (t1 + next) & ADDRESS : t1 + Lanes.BYTES;
      long line4 = Q4KLayout.SCALES_OFFSET + (long) ((block & 7) >> 1) * LINE;
      IntVector i0 = s0.reinterpretAsInts();
      i0 = i0.add(i0.lanewise(VectorOperators.LSHL, 16)).lanewise(VectorOperators.ASHR, 16);
      FloatVector d0 = FloatVector.fromMemorySegment(F, ALL, t0, ORDER);
      FloatVector e0 =
          FloatVector.fromMemorySegment(F, ALL, (t0 + Q4KLayout.MINS_OFFSET) & ADDRESS, ORDER);
      IntVector q0 = IntVector.fromMemorySegment(I, ALL, (t0 + line4) & ADDRESS, ORDER);
      FloatVector c0 =
          d0.mul(
              (FloatVector)
                  q0.lanewise(VectorOperators.LSHL, up)
                      .lanewise(VectorOperators.LSHR, 24)
                      .convert(VectorOperators.I2F, 0));
      FloatVector m0 =
          e0.mul(
              (FloatVector)
                  q0.lanewise(VectorOperators.LSHL, up - 8)
                      .lanewise(VectorOperators.LSHR, 24)
                      .convert(VectorOperators.I2F, 0));
      FloatVector t0f = ((FloatVector) i0.add(offset).convert(VectorOperators.I2F, 0)).mul(c0);
      acc0 = dx.fma(m0.neg().fma(x, t0f), acc0);
      IntVector i1 = s1.reinterpretAsInts();
      i1 = i1.add(i1.lanewise(VectorOperators.LSHL, 16)).lanewise(VectorOperators.ASHR, 16);
      FloatVector d1 = FloatVector.fromMemorySegment(F, ALL, t0b, ORDER);
      FloatVector e1 =
          FloatVector.fromMemorySegment(F, ALL, (t0b + Q4KLayout.MINS_OFFSET) & ADDRESS, ORDER);
      IntVector q1 = IntVector.fromMemorySegment(I, ALL, (t0b + line4) & ADDRESS, ORDER);
      FloatVector c1 =
          d1.mul(
              (FloatVector)
                  q1.lanewise(VectorOperators.LSHL, up)
                      .lanewise(VectorOperators.LSHR, 24)
                      .convert(VectorOperators.I2F, 0));
      FloatVector m1 =
          e1.mul(
              (FloatVector)
                  q1.lanewise(VectorOperators.LSHL, up - 8)
                      .lanewise(VectorOperators.LSHR, 24)
                      .convert(VectorOperators.I2F, 0));
      FloatVector t1f = ((FloatVector) i1.add(offset).convert(VectorOperators.I2F, 0)).mul(c1);
      acc1 = dx.fma(m1.neg().fma(x, t1f), acc1);
      IntVector i2 = s2.reinterpretAsInts();
      i2 = i2.add(i2.lanewise(VectorOperators.LSHL, 16)).lanewise(VectorOperators.ASHR, 16);
      FloatVector d2 = FloatVector.fromMemorySegment(F, ALL, t1, ORDER);
      FloatVector e2 =
          FloatVector.fromMemorySegment(F, ALL, (t1 + Q4KLayout.MINS_OFFSET) & ADDRESS, ORDER);
      IntVector q2 = IntVector.fromMemorySegment(I, ALL, (t1 + line4) & ADDRESS, ORDER);
      FloatVector c2 =
          d2.mul(
              (FloatVector)
                  q2.lanewise(VectorOperators.LSHL, up)
                      .lanewise(VectorOperators.LSHR, 24)
                      .convert(VectorOperators.I2F, 0));
      FloatVector m2 =
          e2.mul(
              (FloatVector)
                  q2.lanewise(VectorOperators.LSHL, up - 8)
                      .lanewise(VectorOperators.LSHR, 24)
                      .convert(VectorOperators.I2F, 0));
      FloatVector t2f = ((FloatVector) i2.add(offset).convert(VectorOperators.I2F, 0)).mul(c2);
      acc2 = dx.fma(m2.neg().fma(x, t2f), acc2);
      IntVector i3 = s3.reinterpretAsInts();
      i3 = i3.add(i3.lanewise(VectorOperators.LSHL, 16)).lanewise(VectorOperators.ASHR, 16);
      FloatVector d3 = FloatVector.fromMemorySegment(F, ALL, t1b, ORDER);
      FloatVector e3 =
          FloatVector.fromMemorySegment(F, ALL, (t1b + Q4KLayout.MINS_OFFSET) & ADDRESS, ORDER);
      IntVector q3 = IntVector.fromMemorySegment(I, ALL, (t1b + line4) & ADDRESS, ORDER);
      FloatVector c3 =
          d3.mul(
              (FloatVector)
                  q3.lanewise(VectorOperators.LSHL, up)
                      .lanewise(VectorOperators.LSHR, 24)
                      .convert(VectorOperators.I2F, 0));
      FloatVector m3 =
          e3.mul(
              (FloatVector)
                  q3.lanewise(VectorOperators.LSHL, up - 8)
                      .lanewise(VectorOperators.LSHR, 24)
                      .convert(VectorOperators.I2F, 0));
      FloatVector t3f = ((FloatVector) i3.add(offset).convert(VectorOperators.I2F, 0)).mul(c3);
      acc3 = dx.fma(m3.neg().fma(x, t3f), acc3);
    }
    acc0.intoMemorySegment(ALL, out, ORDER);
    acc1.intoMemorySegment(ALL, out + 1 * Lanes.BYTES, ORDER);
    acc2.intoMemorySegment(ALL, out + 2 * Lanes.BYTES, ORDER);
    acc3.intoMemorySegment(ALL, out + 3 * Lanes.BYTES, ORDER);
  }
}
