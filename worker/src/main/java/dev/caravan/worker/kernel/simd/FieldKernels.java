package dev.caravan.worker.kernel.simd;

import static dev.caravan.worker.kernel.simd.Lanes.F;
import static dev.caravan.worker.kernel.simd.Lanes.I;
import static dev.caravan.worker.kernel.simd.Memory.ADDRESS;
import static dev.caravan.worker.kernel.simd.Memory.ALL;

import dev.caravan.model.checkpoint.DType;
import dev.caravan.worker.tensor.MatmulInput;
import dev.caravan.worker.tensor.Q4KLayout;
import dev.caravan.worker.tensor.Q6KLayout;
import dev.caravan.worker.tensor.WeightLayout;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/**
 * One activation row times weights of five or six bits: Q5_K and Q6_K, int8 activations.
 *
 * <p>A pair of vectors of rows: the second follows the first in its line, or lies {@code next}
 * bytes further, in the next group, where a vector is as long as a line. As in {@link
 * NibbleKernels} all arguments are addresses and methods are flat and long.
 *
 * <p>Fields are not masked out: what a window shows above its field is taken away by the factor of
 * the field that is there ({@link FieldFactors}). The halves of a word are summed apart, so shifts
 * are of 16-bit lanes: nothing of the high half comes down.
 */
final class FieldKernels {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int LINE = WeightLayout.LINE_BYTES;

  private static final int Q5_K_TILE_BYTES = ((Q4KLayout) WeightLayout.of(DType.Q5_K)).tileBytes();

  private FieldKernels() {}

  /** Q6_K: 16-bit sums of eight columns, exact: none exceeds 32 * 127 * 8. */
  static void q6k(long w0, long next, int blocks, long factors, long scales, long out) {
    FloatVector acc0 = FloatVector.zero(F);
    FloatVector acc1 = FloatVector.zero(F);
    for (int half = 0; half < 2 * blocks; half++) {
      long tile = (long) (half >> 4) * Q6KLayout.TILE_BYTES;
      long lines = tile + Q6KLayout.BLOCKS_OFFSET + (long) (half & 15) * (3 * LINE);
      long f = (factors + half * 48L) & ADDRESS;
      long l0 = (w0 + lines) & ADDRESS;
      long l0b = Lanes.BITS == 512 ? (l0 + next) & ADDRESS : l0 + Lanes.BYTES;
      ShortVector s0 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f + 40))
              .reinterpretAsShorts();
      ShortVector s1 = s0;
      ShortVector a0 = IntVector.fromMemorySegment(I, ALL, l0, ORDER).reinterpretAsShorts();
      ShortVector b0 = IntVector.fromMemorySegment(I, ALL, l0b, ORDER).reinterpretAsShorts();
      ShortVector z0 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f)).reinterpretAsShorts();
      s0 = s0.add(a0.mul(z0));
      s1 = s1.add(b0.mul(z0));
      ShortVector z1 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f + 4))
              .reinterpretAsShorts();
      s0 = s0.add(a0.lanewise(VectorOperators.LSHR, 6).mul(z1));
      s1 = s1.add(b0.lanewise(VectorOperators.LSHR, 6).mul(z1));
      ShortVector z2 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f + 8))
              .reinterpretAsShorts();
      s0 = s0.add(a0.lanewise(VectorOperators.LSHR, 12).mul(z2));
      s1 = s1.add(b0.lanewise(VectorOperators.LSHR, 12).mul(z2));
      ShortVector a1 = IntVector.fromMemorySegment(I, ALL, l0 + LINE, ORDER).reinterpretAsShorts();
      ShortVector b1 = IntVector.fromMemorySegment(I, ALL, l0b + LINE, ORDER).reinterpretAsShorts();
      ShortVector z3 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f + 12))
              .reinterpretAsShorts();
      s0 = s0.add(a1.mul(z3));
      s1 = s1.add(b1.mul(z3));
      ShortVector z4 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f + 16))
              .reinterpretAsShorts();
      s0 = s0.add(a1.lanewise(VectorOperators.LSHR, 6).mul(z4));
      s1 = s1.add(b1.lanewise(VectorOperators.LSHR, 6).mul(z4));
      ShortVector z5 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f + 20))
              .reinterpretAsShorts();
      s0 = s0.add(a1.lanewise(VectorOperators.LSHR, 12).mul(z5));
      s1 = s1.add(b1.lanewise(VectorOperators.LSHR, 12).mul(z5));
      ShortVector a2 =
          IntVector.fromMemorySegment(I, ALL, l0 + 2 * LINE, ORDER).reinterpretAsShorts();
      ShortVector b2 =
          IntVector.fromMemorySegment(I, ALL, l0b + 2 * LINE, ORDER).reinterpretAsShorts();
      ShortVector z6 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f + 24))
              .reinterpretAsShorts();
      s0 = s0.add(a2.mul(z6));
      s1 = s1.add(b2.mul(z6));
      ShortVector z7 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f + 28))
              .reinterpretAsShorts();
      s0 = s0.add(a2.lanewise(VectorOperators.LSHR, 6).mul(z7));
      s1 = s1.add(b2.lanewise(VectorOperators.LSHR, 6).mul(z7));
      ShortVector z8 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f + 32))
              .reinterpretAsShorts();
      s0 = s0.add(a2.lanewise(VectorOperators.LSHR, 12).mul(z8));
      s1 = s1.add(b2.lanewise(VectorOperators.LSHR, 12).mul(z8));
      ShortVector z9 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f + 36))
              .reinterpretAsShorts();
      s0 = s0.add(a2.lanewise(VectorOperators.LSHR, 14).mul(z9));
      s1 = s1.add(b2.lanewise(VectorOperators.LSHR, 14).mul(z9));
      FloatVector dx =
          FloatVector.broadcast(
              F, ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, (scales + 4L * (half >> 1)) & ADDRESS));
      int up = 24 - 8 * (half & 3);
      long line4 = LINE + (long) ((half & 15) >> 2) * LINE;
      long t0 = (w0 + tile) & ADDRESS;
      long t0b = Lanes.BITS == 512 ? (t0 + next) & ADDRESS : t0 + Lanes.BYTES;
      IntVector i0 = s0.reinterpretAsInts();
      IntVector q0 =
          i0.lanewise(VectorOperators.LSHL, 16)
              .lanewise(VectorOperators.ASHR, 16)
              .add(i0.lanewise(VectorOperators.ASHR, 16));
      FloatVector c0 =
          FloatVector.fromMemorySegment(F, ALL, t0, ORDER)
              .mul(
                  (FloatVector)
                      IntVector.fromMemorySegment(I, ALL, (t0 + line4) & ADDRESS, ORDER)
                          .lanewise(VectorOperators.LSHL, up)
                          .lanewise(VectorOperators.ASHR, 24)
                          .convert(VectorOperators.I2F, 0));
      acc0 = dx.fma(((FloatVector) q0.convert(VectorOperators.I2F, 0)).mul(c0), acc0);
      IntVector i1 = s1.reinterpretAsInts();
      IntVector q1 =
          i1.lanewise(VectorOperators.LSHL, 16)
              .lanewise(VectorOperators.ASHR, 16)
              .add(i1.lanewise(VectorOperators.ASHR, 16));
      FloatVector c1 =
          FloatVector.fromMemorySegment(F, ALL, t0b, ORDER)
              .mul(
                  (FloatVector)
                      IntVector.fromMemorySegment(I, ALL, (t0b + line4) & ADDRESS, ORDER)
                          .lanewise(VectorOperators.LSHL, up)
                          .lanewise(VectorOperators.ASHR, 24)
                          .convert(VectorOperators.I2F, 0));
      acc1 = dx.fma(((FloatVector) q1.convert(VectorOperators.I2F, 0)).mul(c1), acc1);
    }
    acc0.intoMemorySegment(ALL, out, ORDER);
    acc1.intoMemorySegment(ALL, out + 1 * Lanes.BYTES, ORDER);
  }

  /** Q5_K: 16-bit sums of sixteen columns, exact: none exceeds 16 * 127 * 16. */
  static void q5k(long w0, long next, int blocks, long factors, long scales, long sums, long out) {
    FloatVector acc0 = FloatVector.zero(F);
    FloatVector acc1 = FloatVector.zero(F);
    for (int block = 0; block < blocks; block++) {
      long tile = (long) (block >> 3) * Q5_K_TILE_BYTES;
      long lines = tile + Q4KLayout.BLOCKS_OFFSET + (long) (block & 7) * (5 * LINE);
      long f = (factors + block * MatmulInput.FIELD_FACTORS_BYTES) & ADDRESS;
      ShortVector s0 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f + 80))
              .reinterpretAsShorts();
      ShortVector s1 = s0;
      for (int line = 0; line < 5; line++) {
        long z = f + line * 16L;
        long l0 = (w0 + lines + (long) line * LINE) & ADDRESS;
        long l0b = Lanes.BITS == 512 ? (l0 + next) & ADDRESS : l0 + Lanes.BYTES;
        ShortVector a = IntVector.fromMemorySegment(I, ALL, l0, ORDER).reinterpretAsShorts();
        ShortVector b = IntVector.fromMemorySegment(I, ALL, l0b, ORDER).reinterpretAsShorts();
        ShortVector z0 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, z))
                .reinterpretAsShorts();
        s0 = s0.add(a.mul(z0));
        s1 = s1.add(b.mul(z0));
        ShortVector z1 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, z + 4))
                .reinterpretAsShorts();
        s0 = s0.add(a.lanewise(VectorOperators.LSHR, 5).mul(z1));
        s1 = s1.add(b.lanewise(VectorOperators.LSHR, 5).mul(z1));
        ShortVector z2 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, z + 8))
                .reinterpretAsShorts();
        s0 = s0.add(a.lanewise(VectorOperators.LSHR, 10).mul(z2));
        s1 = s1.add(b.lanewise(VectorOperators.LSHR, 10).mul(z2));
        ShortVector z3 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, z + 12))
                .reinterpretAsShorts();
        s0 = s0.add(a.lanewise(VectorOperators.LSHR, 15).mul(z3));
        s1 = s1.add(b.lanewise(VectorOperators.LSHR, 15).mul(z3));
      }
      FloatVector dx =
          FloatVector.broadcast(
              F, ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, (scales + 4L * block) & ADDRESS));
      float sum = ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, (sums + 4L * block) & ADDRESS);
      FloatVector x = FloatVector.broadcast(F, sum);
      IntVector offset = IntVector.broadcast(I, 16 * (int) sum);
      int up = 24 - 16 * (block & 1);
      long t0 = (w0 + tile) & ADDRESS;
      long t0b = Lanes.BITS == 512 ? (t0 + next) & ADDRESS : t0 + Lanes.BYTES;
      long line4 = Q4KLayout.SCALES_OFFSET + (long) ((block & 7) >> 1) * LINE;
      IntVector i0 = s0.reinterpretAsInts();
      IntVector n0 =
          i0.lanewise(VectorOperators.LSHL, 16)
              .lanewise(VectorOperators.ASHR, 16)
              .add(i0.lanewise(VectorOperators.ASHR, 16))
              .add(offset);
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
      FloatVector r0 = ((FloatVector) n0.convert(VectorOperators.I2F, 0)).mul(c0);
      acc0 = dx.fma(m0.neg().fma(x, r0), acc0);
      IntVector i1 = s1.reinterpretAsInts();
      IntVector n1 =
          i1.lanewise(VectorOperators.LSHL, 16)
              .lanewise(VectorOperators.ASHR, 16)
              .add(i1.lanewise(VectorOperators.ASHR, 16))
              .add(offset);
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
      FloatVector r1 = ((FloatVector) n1.convert(VectorOperators.I2F, 0)).mul(c1);
      acc1 = dx.fma(m1.neg().fma(x, r1), acc1);
    }
    acc0.intoMemorySegment(ALL, out, ORDER);
    acc1.intoMemorySegment(ALL, out + 1 * Lanes.BYTES, ORDER);
  }
}
