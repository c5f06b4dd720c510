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
 * <p>Four vectors of rows at addresses, flat and long, all as in {@link NibbleKernels}. Two groups
 * at a time are two streams of memory: with one, these kernels are a quarter slower.
 *
 * <p>Fields are not masked out: what a window shows above its field is taken away by the factor of
 * the field that is there ({@link Factors}). But the halves of a word are summed apart, so what a
 * shift brings down from the high half is masked. Shifts of 16-bit lanes bring nothing down, but
 * the compiler loads their count anew each time.
 */
final class FieldKernels {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int LINE = WeightLayout.LINE_BYTES;

  private static final int Q5_K_TILE_BYTES = ((Q4KLayout) WeightLayout.of(DType.Q5_K)).tileBytes();

  private FieldKernels() {}

  /** Q6_K: 16-bit sums of eight columns, exact: none exceeds 32 * 127 * 8. */
  static void q6k(long w0, long w1, long next, int blocks, long factors, long scales, long out) {
    FloatVector acc0 = FloatVector.zero(F);
    FloatVector acc1 = FloatVector.zero(F);
    FloatVector acc2 = FloatVector.zero(F);
    FloatVector acc3 = FloatVector.zero(F);
    for (int half = 0; half < 2 * blocks; half++) {
      int in = half & 15;
      long f = (factors + half * (MatmulInput.FIELD_FACTORS_BYTES / 2)) & ADDRESS;
      long tile = (long) (half >> 4) * Q6KLayout.TILE_BYTES;
      long t0 = (w0 + tile) & ADDRESS;
      long t1 = Lanes.BITS == 512 ? (t0 + next) & ADDRESS : t0 + Lanes.BYTES;
      long t2 = (w1 + tile) & ADDRESS;
      long t3 = Lanes.BITS == 512 ? (t2 + next) & ADDRESS : t2 + Lanes.BYTES;
      long lines = Q6KLayout.BLOCKS_OFFSET + (long) in * Q6KLayout.SUB_BLOCK_BYTES;
      long l0 = t0 + lines;
      long l1 = t1 + lines;
      long l2 = t2 + lines;
      long l3 = t3 + lines;
      ShortVector s0 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f + 40))
              .reinterpretAsShorts();
      ShortVector s1 = s0;
      ShortVector s2 = s0;
      ShortVector s3 = s0;
      for (int line = 0; line < 3; line++) {
        long z = f + line * 12L;
        IntVector a0 = IntVector.fromMemorySegment(I, ALL, l0 + (long) line * LINE, ORDER);
        IntVector a1 = IntVector.fromMemorySegment(I, ALL, l1 + (long) line * LINE, ORDER);
        IntVector a2 = IntVector.fromMemorySegment(I, ALL, l2 + (long) line * LINE, ORDER);
        IntVector a3 = IntVector.fromMemorySegment(I, ALL, l3 + (long) line * LINE, ORDER);
        ShortVector z0 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, z))
                .reinterpretAsShorts();
        s0 = s0.add(a0.reinterpretAsShorts().mul(z0));
        s1 = s1.add(a1.reinterpretAsShorts().mul(z0));
        s2 = s2.add(a2.reinterpretAsShorts().mul(z0));
        s3 = s3.add(a3.reinterpretAsShorts().mul(z0));
        ShortVector z1 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, z + 4))
                .reinterpretAsShorts();
        s0 =
            s0.add(
                a0.lanewise(VectorOperators.LSHR, 6).and(0x03ff03ff).reinterpretAsShorts().mul(z1));
        s1 =
            s1.add(
                a1.lanewise(VectorOperators.LSHR, 6).and(0x03ff03ff).reinterpretAsShorts().mul(z1));
        s2 =
            s2.add(
                a2.lanewise(VectorOperators.LSHR, 6).and(0x03ff03ff).reinterpretAsShorts().mul(z1));
        s3 =
            s3.add(
                a3.lanewise(VectorOperators.LSHR, 6).and(0x03ff03ff).reinterpretAsShorts().mul(z1));
        ShortVector z2 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, z + 8))
                .reinterpretAsShorts();
        s0 =
            s0.add(
                a0.lanewise(VectorOperators.LSHR, 12)
                    .and(0x000f000f)
                    .reinterpretAsShorts()
                    .mul(z2));
        s1 =
            s1.add(
                a1.lanewise(VectorOperators.LSHR, 12)
                    .and(0x000f000f)
                    .reinterpretAsShorts()
                    .mul(z2));
        s2 =
            s2.add(
                a2.lanewise(VectorOperators.LSHR, 12)
                    .and(0x000f000f)
                    .reinterpretAsShorts()
                    .mul(z2));
        s3 =
            s3.add(
                a3.lanewise(VectorOperators.LSHR, 12)
                    .and(0x000f000f)
                    .reinterpretAsShorts()
                    .mul(z2));
      }
      ShortVector z3 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f + 36))
              .reinterpretAsShorts();
      IntVector b0 = IntVector.fromMemorySegment(I, ALL, l0 + 2 * LINE, ORDER);
      s0 =
          s0.add(
              b0.lanewise(VectorOperators.LSHR, 14).and(0x00030003).reinterpretAsShorts().mul(z3));
      IntVector b1 = IntVector.fromMemorySegment(I, ALL, l1 + 2 * LINE, ORDER);
      s1 =
          s1.add(
              b1.lanewise(VectorOperators.LSHR, 14).and(0x00030003).reinterpretAsShorts().mul(z3));
      IntVector b2 = IntVector.fromMemorySegment(I, ALL, l2 + 2 * LINE, ORDER);
      s2 =
          s2.add(
              b2.lanewise(VectorOperators.LSHR, 14).and(0x00030003).reinterpretAsShorts().mul(z3));
      IntVector b3 = IntVector.fromMemorySegment(I, ALL, l3 + 2 * LINE, ORDER);
      s3 =
          s3.add(
              b3.lanewise(VectorOperators.LSHR, 14).and(0x00030003).reinterpretAsShorts().mul(z3));
      FloatVector dx =
          FloatVector.broadcast(
              F, ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, (scales + 4L * (half >> 1)) & ADDRESS));
      int up = 24 - 8 * (half & 3);
      long line4 = Q6KLayout.SCALES_OFFSET + (long) (in >> 2) * LINE;
      IntVector i0 = s0.reinterpretAsInts();
      IntVector n0 =
          i0.lanewise(VectorOperators.LSHL, 16)
              .lanewise(VectorOperators.ASHR, 16)
              .add(i0.lanewise(VectorOperators.ASHR, 16));
      FloatVector c0 =
          FloatVector.fromMemorySegment(F, ALL, t0, ORDER)
              .mul(
                  (FloatVector)
                      IntVector.fromMemorySegment(I, ALL, t0 + line4, ORDER)
                          .lanewise(VectorOperators.LSHL, up)
                          .lanewise(VectorOperators.ASHR, 24)
                          .convert(VectorOperators.I2F, 0));
      acc0 = dx.fma(((FloatVector) n0.convert(VectorOperators.I2F, 0)).mul(c0), acc0);
      IntVector i1 = s1.reinterpretAsInts();
      IntVector n1 =
          i1.lanewise(VectorOperators.LSHL, 16)
              .lanewise(VectorOperators.ASHR, 16)
              .add(i1.lanewise(VectorOperators.ASHR, 16));
      FloatVector c1 =
          FloatVector.fromMemorySegment(F, ALL, t1, ORDER)
              .mul(
                  (FloatVector)
                      IntVector.fromMemorySegment(I, ALL, t1 + line4, ORDER)
                          .lanewise(VectorOperators.LSHL, up)
                          .lanewise(VectorOperators.ASHR, 24)
                          .convert(VectorOperators.I2F, 0));
      acc1 = dx.fma(((FloatVector) n1.convert(VectorOperators.I2F, 0)).mul(c1), acc1);
      IntVector i2 = s2.reinterpretAsInts();
      IntVector n2 =
          i2.lanewise(VectorOperators.LSHL, 16)
              .lanewise(VectorOperators.ASHR, 16)
              .add(i2.lanewise(VectorOperators.ASHR, 16));
      FloatVector c2 =
          FloatVector.fromMemorySegment(F, ALL, t2, ORDER)
              .mul(
                  (FloatVector)
                      IntVector.fromMemorySegment(I, ALL, t2 + line4, ORDER)
                          .lanewise(VectorOperators.LSHL, up)
                          .lanewise(VectorOperators.ASHR, 24)
                          .convert(VectorOperators.I2F, 0));
      acc2 = dx.fma(((FloatVector) n2.convert(VectorOperators.I2F, 0)).mul(c2), acc2);
      IntVector i3 = s3.reinterpretAsInts();
      IntVector n3 =
          i3.lanewise(VectorOperators.LSHL, 16)
              .lanewise(VectorOperators.ASHR, 16)
              .add(i3.lanewise(VectorOperators.ASHR, 16));
      FloatVector c3 =
          FloatVector.fromMemorySegment(F, ALL, t3, ORDER)
              .mul(
                  (FloatVector)
                      IntVector.fromMemorySegment(I, ALL, t3 + line4, ORDER)
                          .lanewise(VectorOperators.LSHL, up)
                          .lanewise(VectorOperators.ASHR, 24)
                          .convert(VectorOperators.I2F, 0));
      acc3 = dx.fma(((FloatVector) n3.convert(VectorOperators.I2F, 0)).mul(c3), acc3);
    }
    acc0.intoMemorySegment(ALL, out, ORDER);
    acc1.intoMemorySegment(ALL, out + 1 * Lanes.BYTES, ORDER);
    acc2.intoMemorySegment(ALL, out + 2 * Lanes.BYTES, ORDER);
    acc3.intoMemorySegment(ALL, out + 3 * Lanes.BYTES, ORDER);
  }

  /** Q5_K: 16-bit sums of sixteen columns, exact: none exceeds 16 * 127 * 16. */
  static void q5k(
      long w0, long w1, long next, int blocks, long factors, long scales, long sums, long out) {
    FloatVector acc0 = FloatVector.zero(F);
    FloatVector acc1 = FloatVector.zero(F);
    FloatVector acc2 = FloatVector.zero(F);
    FloatVector acc3 = FloatVector.zero(F);
    for (int block = 0; block < blocks; block++) {
      int in = block & 7;
      long f = (factors + block * MatmulInput.FIELD_FACTORS_BYTES) & ADDRESS;
      long tile = (long) (block >> 3) * Q5_K_TILE_BYTES;
      long t0 = (w0 + tile) & ADDRESS;
      long t1 = Lanes.BITS == 512 ? (t0 + next) & ADDRESS : t0 + Lanes.BYTES;
      long t2 = (w1 + tile) & ADDRESS;
      long t3 = Lanes.BITS == 512 ? (t2 + next) & ADDRESS : t2 + Lanes.BYTES;
      long lines = Q4KLayout.BLOCKS_OFFSET + (long) in * (5 * LINE);
      long l0 = t0 + lines;
      long l1 = t1 + lines;
      long l2 = t2 + lines;
      long l3 = t3 + lines;
      ShortVector s0 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f + 80))
              .reinterpretAsShorts();
      ShortVector s1 = s0;
      ShortVector s2 = s0;
      ShortVector s3 = s0;
      for (int line = 0; line < 5; line++) {
        long z = f + line * 16L;
        IntVector a0 = IntVector.fromMemorySegment(I, ALL, l0 + (long) line * LINE, ORDER);
        IntVector a1 = IntVector.fromMemorySegment(I, ALL, l1 + (long) line * LINE, ORDER);
        IntVector a2 = IntVector.fromMemorySegment(I, ALL, l2 + (long) line * LINE, ORDER);
        IntVector a3 = IntVector.fromMemorySegment(I, ALL, l3 + (long) line * LINE, ORDER);
        ShortVector z0 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, z))
                .reinterpretAsShorts();
        s0 = s0.add(a0.reinterpretAsShorts().mul(z0));
        s1 = s1.add(a1.reinterpretAsShorts().mul(z0));
        s2 = s2.add(a2.reinterpretAsShorts().mul(z0));
        s3 = s3.add(a3.reinterpretAsShorts().mul(z0));
        ShortVector z1 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, z + 4))
                .reinterpretAsShorts();
        s0 =
            s0.add(
                a0.lanewise(VectorOperators.LSHR, 5).and(0x07ff07ff).reinterpretAsShorts().mul(z1));
        s1 =
            s1.add(
                a1.lanewise(VectorOperators.LSHR, 5).and(0x07ff07ff).reinterpretAsShorts().mul(z1));
        s2 =
            s2.add(
                a2.lanewise(VectorOperators.LSHR, 5).and(0x07ff07ff).reinterpretAsShorts().mul(z1));
        s3 =
            s3.add(
                a3.lanewise(VectorOperators.LSHR, 5).and(0x07ff07ff).reinterpretAsShorts().mul(z1));
        ShortVector z2 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, z + 8))
                .reinterpretAsShorts();
        s0 =
            s0.add(
                a0.lanewise(VectorOperators.LSHR, 10)
                    .and(0x003f003f)
                    .reinterpretAsShorts()
                    .mul(z2));
        s1 =
            s1.add(
                a1.lanewise(VectorOperators.LSHR, 10)
                    .and(0x003f003f)
                    .reinterpretAsShorts()
                    .mul(z2));
        s2 =
            s2.add(
                a2.lanewise(VectorOperators.LSHR, 10)
                    .and(0x003f003f)
                    .reinterpretAsShorts()
                    .mul(z2));
        s3 =
            s3.add(
                a3.lanewise(VectorOperators.LSHR, 10)
                    .and(0x003f003f)
                    .reinterpretAsShorts()
                    .mul(z2));
        ShortVector z3 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, z + 12))
                .reinterpretAsShorts();
        s0 =
            s0.add(
                a0.lanewise(VectorOperators.LSHR, 15)
                    .and(0x00010001)
                    .reinterpretAsShorts()
                    .mul(z3));
        s1 =
            s1.add(
                a1.lanewise(VectorOperators.LSHR, 15)
                    .and(0x00010001)
                    .reinterpretAsShorts()
                    .mul(z3));
        s2 =
            s2.add(
                a2.lanewise(VectorOperators.LSHR, 15)
                    .and(0x00010001)
                    .reinterpretAsShorts()
                    .mul(z3));
        s3 =
            s3.add(
                a3.lanewise(VectorOperators.LSHR, 15)
                    .and(0x00010001)
                    .reinterpretAsShorts()
                    .mul(z3));
      }
      FloatVector dx =
          FloatVector.broadcast(
              F, ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, (scales + 4L * block) & ADDRESS));
      float sum = ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, (sums + 4L * block) & ADDRESS);
      FloatVector x = FloatVector.broadcast(F, sum);
      IntVector offset = IntVector.broadcast(I, 16 * (int) sum);
      int up = 24 - 16 * (in & 1);
      long line4 = Q4KLayout.SCALES_OFFSET + (long) (in >> 1) * LINE;
      IntVector i0 = s0.reinterpretAsInts();
      IntVector n0 =
          i0.lanewise(VectorOperators.LSHL, 16)
              .lanewise(VectorOperators.ASHR, 16)
              .add(i0.lanewise(VectorOperators.ASHR, 16))
              .add(offset);
      FloatVector d0 = FloatVector.fromMemorySegment(F, ALL, t0, ORDER);
      FloatVector e0 = FloatVector.fromMemorySegment(F, ALL, t0 + Q4KLayout.MINS_OFFSET, ORDER);
      IntVector q0 = IntVector.fromMemorySegment(I, ALL, t0 + line4, ORDER);
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
      FloatVector d1 = FloatVector.fromMemorySegment(F, ALL, t1, ORDER);
      FloatVector e1 = FloatVector.fromMemorySegment(F, ALL, t1 + Q4KLayout.MINS_OFFSET, ORDER);
      IntVector q1 = IntVector.fromMemorySegment(I, ALL, t1 + line4, ORDER);
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
      IntVector i2 = s2.reinterpretAsInts();
      IntVector n2 =
          i2.lanewise(VectorOperators.LSHL, 16)
              .lanewise(VectorOperators.ASHR, 16)
              .add(i2.lanewise(VectorOperators.ASHR, 16))
              .add(offset);
      FloatVector d2 = FloatVector.fromMemorySegment(F, ALL, t2, ORDER);
      FloatVector e2 = FloatVector.fromMemorySegment(F, ALL, t2 + Q4KLayout.MINS_OFFSET, ORDER);
      IntVector q2 = IntVector.fromMemorySegment(I, ALL, t2 + line4, ORDER);
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
      FloatVector r2 = ((FloatVector) n2.convert(VectorOperators.I2F, 0)).mul(c2);
      acc2 = dx.fma(m2.neg().fma(x, r2), acc2);
      IntVector i3 = s3.reinterpretAsInts();
      IntVector n3 =
          i3.lanewise(VectorOperators.LSHL, 16)
              .lanewise(VectorOperators.ASHR, 16)
              .add(i3.lanewise(VectorOperators.ASHR, 16))
              .add(offset);
      FloatVector d3 = FloatVector.fromMemorySegment(F, ALL, t3, ORDER);
      FloatVector e3 = FloatVector.fromMemorySegment(F, ALL, t3 + Q4KLayout.MINS_OFFSET, ORDER);
      IntVector q3 = IntVector.fromMemorySegment(I, ALL, t3 + line4, ORDER);
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
      FloatVector r3 = ((FloatVector) n3.convert(VectorOperators.I2F, 0)).mul(c3);
      acc3 = dx.fma(m3.neg().fma(x, r3), acc3);
    }
    acc0.intoMemorySegment(ALL, out, ORDER);
    acc1.intoMemorySegment(ALL, out + 1 * Lanes.BYTES, ORDER);
    acc2.intoMemorySegment(ALL, out + 2 * Lanes.BYTES, ORDER);
    acc3.intoMemorySegment(ALL, out + 3 * Lanes.BYTES, ORDER);
  }
}
