package dev.caravan.worker.kernel.simd;

import static dev.caravan.worker.kernel.simd.Lanes.F;
import static dev.caravan.worker.kernel.simd.Lanes.I;
import static dev.caravan.worker.kernel.simd.Memory.ADDRESS;
import static dev.caravan.worker.kernel.simd.Memory.ALL;

import dev.caravan.worker.tensor.Q8Layout;
import dev.caravan.worker.tensor.WeightLayout;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/**
 * One activation row times Q8_0 weights, int8 activations.
 *
 * <p>Every kernel takes four vectors of rows, two from {@code w0} and two from {@code w1}: the
 * second of a pair follows the first in its line, or lies {@code next} bytes further, in another
 * group, where a vector is as long as a line. All are addresses (see {@link Memory}): of the first
 * lanes in the first line of their groups, of the row's factors and block scales, and of {@code
 * out}, where four vectors of results are written one after the other. Methods are flat, long and
 * take many arguments because the compiler boxes vectors that cross a call it does not inline.
 */
final class ByteKernels {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int LINE = WeightLayout.LINE_BYTES;
  private static final int HALF_MASK = Halves.MASK;
  private static final float HALF_SCALE = Halves.SCALE;

  private ByteKernels() {}

  /** Q8_0: two products fit 16 bits, widened to 32. */
  static void q8(long w0, long w1, long next, int blocks, long factors, long scales, long out) {
    FloatVector acc0 = FloatVector.zero(F);
    FloatVector acc1 = FloatVector.zero(F);
    FloatVector acc2 = FloatVector.zero(F);
    FloatVector acc3 = FloatVector.zero(F);
    for (int block = 0; block < blocks; block++) {
      long tile = (long) (block >> 1) * Q8Layout.TILE_BYTES;
      long lines = tile + LINE + (block & 1) * (8 * LINE);
      IntVector i0 = IntVector.zero(I);
      IntVector i1 = IntVector.zero(I);
      IntVector i2 = IntVector.zero(I);
      IntVector i3 = IntVector.zero(I);
      for (int line = 0; line < 8; line++) {
        long f = (factors + block * 64L + line * 8L) & ADDRESS;
        ShortVector even =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f))
                .reinterpretAsShorts();
        ShortVector odd =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f + 4))
                .reinterpretAsShorts();
        long l0 = (w0 + lines + (long) line * LINE) & ADDRESS;
        long l0b = Lanes.BITS == 512 ? (l0 + next) & ADDRESS : l0 + Lanes.BYTES;
        long l1 = (w1 + lines + (long) line * LINE) & ADDRESS;
        long l1b = Lanes.BITS == 512 ? (l1 + next) & ADDRESS : l1 + Lanes.BYTES;
        ShortVector a0 = IntVector.fromMemorySegment(I, ALL, l0, ORDER).reinterpretAsShorts();
        IntVector p0 =
            a0.lanewise(VectorOperators.LSHL, 8)
                .lanewise(VectorOperators.ASHR, 8)
                .mul(even)
                .add(a0.lanewise(VectorOperators.ASHR, 8).mul(odd))
                .reinterpretAsInts();
        i0 =
            i0.add(p0.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16))
                .add(p0.lanewise(VectorOperators.ASHR, 16));
        ShortVector a1 = IntVector.fromMemorySegment(I, ALL, l0b, ORDER).reinterpretAsShorts();
        IntVector p1 =
            a1.lanewise(VectorOperators.LSHL, 8)
                .lanewise(VectorOperators.ASHR, 8)
                .mul(even)
                .add(a1.lanewise(VectorOperators.ASHR, 8).mul(odd))
                .reinterpretAsInts();
        i1 =
            i1.add(p1.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16))
                .add(p1.lanewise(VectorOperators.ASHR, 16));
        ShortVector a2 = IntVector.fromMemorySegment(I, ALL, l1, ORDER).reinterpretAsShorts();
        IntVector p2 =
            a2.lanewise(VectorOperators.LSHL, 8)
                .lanewise(VectorOperators.ASHR, 8)
                .mul(even)
                .add(a2.lanewise(VectorOperators.ASHR, 8).mul(odd))
                .reinterpretAsInts();
        i2 =
            i2.add(p2.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16))
                .add(p2.lanewise(VectorOperators.ASHR, 16));
        ShortVector a3 = IntVector.fromMemorySegment(I, ALL, l1b, ORDER).reinterpretAsShorts();
        IntVector p3 =
            a3.lanewise(VectorOperators.LSHL, 8)
                .lanewise(VectorOperators.ASHR, 8)
                .mul(even)
                .add(a3.lanewise(VectorOperators.ASHR, 8).mul(odd))
                .reinterpretAsInts();
        i3 =
            i3.add(p3.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16))
                .add(p3.lanewise(VectorOperators.ASHR, 16));
      }
      int up = 16 - 16 * (block & 1);
      FloatVector dx =
          FloatVector.broadcast(
              F, ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, (scales + 4L * block) & ADDRESS));
      long t0 = (w0 + tile) & ADDRESS;
      long t0b = Lanes.BITS == 512 ? (t0 + next) & ADDRESS : t0 + Lanes.BYTES;
      long t1 = (w1 + tile) & ADDRESS;
      long t1b = Lanes.BITS == 512 ? (t1 + next) & ADDRESS : t1 + Lanes.BYTES;
      FloatVector c0 =
          IntVector.fromMemorySegment(I, ALL, t0, ORDER)
              .lanewise(VectorOperators.LSHL, up)
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_MASK)
              .reinterpretAsFloats()
              .mul(HALF_SCALE);
      acc0 = dx.fma(((FloatVector) i0.convert(VectorOperators.I2F, 0)).mul(c0), acc0);
      FloatVector c1 =
          IntVector.fromMemorySegment(I, ALL, t0b, ORDER)
              .lanewise(VectorOperators.LSHL, up)
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_MASK)
              .reinterpretAsFloats()
              .mul(HALF_SCALE);
      acc1 = dx.fma(((FloatVector) i1.convert(VectorOperators.I2F, 0)).mul(c1), acc1);
      FloatVector c2 =
          IntVector.fromMemorySegment(I, ALL, t1, ORDER)
              .lanewise(VectorOperators.LSHL, up)
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_MASK)
              .reinterpretAsFloats()
              .mul(HALF_SCALE);
      acc2 = dx.fma(((FloatVector) i2.convert(VectorOperators.I2F, 0)).mul(c2), acc2);
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
}
