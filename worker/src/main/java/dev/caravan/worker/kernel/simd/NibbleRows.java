package dev.caravan.worker.kernel.simd;

import static dev.caravan.worker.kernel.simd.Lanes.F;
import static dev.caravan.worker.kernel.simd.Lanes.I;
import static dev.caravan.worker.kernel.simd.Memory.ADDRESS;
import static dev.caravan.worker.kernel.simd.Memory.ALL;

import dev.caravan.worker.tensor.Q4Layout;
import dev.caravan.worker.tensor.WeightLayout;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Two or four activation rows times Q4_0 weights, for batches and prompts: a pair of vectors of
 * weight rows over some blocks, added to the results. The arithmetic is that of {@link
 * NibbleKernels#q4}, so are the addresses; two vectors of results of each row follow each other.
 *
 * <p>A weight that is loaded and shifted once serves all rows. How many is a matter of registers:
 * four rows keep eight sums, which 16 registers cannot hold beside the factors.
 *
 * <p>Methods are flat, long and take many arguments because the compiler boxes vectors that cross a
 * call it does not inline.
 */
final class NibbleRows {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int LINE = WeightLayout.LINE_BYTES;
  private static final int HALF_MASK = Halves.MASK;
  private static final float HALF_SCALE = Halves.SCALE;

  private NibbleRows() {}

  /**
   * Two rows. The products of a line are added up before they join a sum: where 16 registers do not
   * do, the compiler keeps sums on the stack, where a chain is slow.
   *
   * @param next from the first vector to the second, where a vector is as long as a line
   * @param factorRow bytes from the factors of a row to those of the next
   * @param scaleRow bytes from the scales and zero points of a row to those of the next
   */
  static void twoRows(
      long w,
      long next,
      int fromBlock,
      int toBlock,
      long factors,
      long factorRow,
      long scales,
      long zeroPoints,
      long scaleRow,
      long out) {
    FloatVector acc00 =
        FloatVector.fromMemorySegment(F, ALL, (out & ADDRESS) + 0 * Lanes.BYTES, ORDER);
    FloatVector acc01 =
        FloatVector.fromMemorySegment(F, ALL, (out & ADDRESS) + 1 * Lanes.BYTES, ORDER);
    FloatVector acc10 =
        FloatVector.fromMemorySegment(F, ALL, (out & ADDRESS) + 2 * Lanes.BYTES, ORDER);
    FloatVector acc11 =
        FloatVector.fromMemorySegment(F, ALL, (out & ADDRESS) + 3 * Lanes.BYTES, ORDER);
    for (int block = fromBlock; block < toBlock; block++) {
      long tile = (long) (block >> 1) * Q4Layout.TILE_BYTES;
      long lines = tile + LINE + (block & 1) * (4 * LINE);
      long d0 = (scales + 4L * block) & ADDRESS;
      long d1 = (scales + scaleRow + 4L * block) & ADDRESS;
      long n0 = (zeroPoints + 4L * block) & ADDRESS;
      long n1 = (zeroPoints + scaleRow + 4L * block) & ADDRESS;
      ShortVector s00 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, n0)).reinterpretAsShorts();
      ShortVector s01 = s00;
      ShortVector s10 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, n1)).reinterpretAsShorts();
      ShortVector s11 = s10;
      for (int line = 0; line < 4; line++) {
        long f = (factors + block * 64L + line * 16L) & ADDRESS;
        long g = (factors + factorRow + block * 64L + line * 16L) & ADDRESS;
        long l0 = (w + lines + (long) line * LINE) & ADDRESS;
        long l0b = Lanes.BITS == 512 ? (l0 + next) & ADDRESS : l0 + Lanes.BYTES;
        IntVector a = IntVector.fromMemorySegment(I, ALL, l0, ORDER);
        IntVector b = IntVector.fromMemorySegment(I, ALL, l0b, ORDER);
        ShortVector a0 = a.reinterpretAsShorts();
        ShortVector b0 = b.reinterpretAsShorts();
        ShortVector y0 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f))
                .reinterpretAsShorts();
        ShortVector t00 = a0.mul(y0);
        ShortVector t01 = b0.mul(y0);
        ShortVector z0 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, g))
                .reinterpretAsShorts();
        ShortVector t10 = a0.mul(z0);
        ShortVector t11 = b0.mul(z0);
        ShortVector a1 = a.lanewise(VectorOperators.LSHR, 4).reinterpretAsShorts();
        ShortVector b1 = b.lanewise(VectorOperators.LSHR, 4).reinterpretAsShorts();
        ShortVector y1 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f + 4))
                .reinterpretAsShorts();
        t00 = t00.add(a1.mul(y1));
        t01 = t01.add(b1.mul(y1));
        ShortVector z1 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, g + 4))
                .reinterpretAsShorts();
        t10 = t10.add(a1.mul(z1));
        t11 = t11.add(b1.mul(z1));
        ShortVector a2 = a.lanewise(VectorOperators.LSHR, 8).reinterpretAsShorts();
        ShortVector b2 = b.lanewise(VectorOperators.LSHR, 8).reinterpretAsShorts();
        ShortVector y2 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f + 8))
                .reinterpretAsShorts();
        t00 = t00.add(a2.mul(y2));
        t01 = t01.add(b2.mul(y2));
        ShortVector z2 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, g + 8))
                .reinterpretAsShorts();
        t10 = t10.add(a2.mul(z2));
        t11 = t11.add(b2.mul(z2));
        ShortVector a3 = a.lanewise(VectorOperators.LSHR, 12).reinterpretAsShorts();
        ShortVector b3 = b.lanewise(VectorOperators.LSHR, 12).reinterpretAsShorts();
        ShortVector y3 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f + 12))
                .reinterpretAsShorts();
        s00 = s00.add(t00.add(a3.mul(y3)));
        s01 = s01.add(t01.add(b3.mul(y3)));
        ShortVector z3 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, g + 12))
                .reinterpretAsShorts();
        s10 = s10.add(t10.add(a3.mul(z3)));
        s11 = s11.add(t11.add(b3.mul(z3)));
      }
      int up = 16 - 16 * (block & 1);
      long t0 = (w + tile) & ADDRESS;
      long t0b = Lanes.BITS == 512 ? (t0 + next) & ADDRESS : t0 + Lanes.BYTES;
      FloatVector c0 =
          IntVector.fromMemorySegment(I, ALL, t0, ORDER)
              .lanewise(VectorOperators.LSHL, up)
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_MASK)
              .reinterpretAsFloats()
              .mul(HALF_SCALE);
      FloatVector c1 =
          IntVector.fromMemorySegment(I, ALL, t0b, ORDER)
              .lanewise(VectorOperators.LSHL, up)
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_MASK)
              .reinterpretAsFloats()
              .mul(HALF_SCALE);
      FloatVector dx0 = FloatVector.broadcast(F, ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, d0));
      IntVector i00 = s00.reinterpretAsInts();
      i00 = i00.add(i00.lanewise(VectorOperators.LSHL, 16)).lanewise(VectorOperators.ASHR, 16);
      acc00 = dx0.fma(((FloatVector) i00.convert(VectorOperators.I2F, 0)).mul(c0), acc00);
      IntVector i01 = s01.reinterpretAsInts();
      i01 = i01.add(i01.lanewise(VectorOperators.LSHL, 16)).lanewise(VectorOperators.ASHR, 16);
      acc01 = dx0.fma(((FloatVector) i01.convert(VectorOperators.I2F, 0)).mul(c1), acc01);
      FloatVector dx1 = FloatVector.broadcast(F, ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, d1));
      IntVector i10 = s10.reinterpretAsInts();
      i10 = i10.add(i10.lanewise(VectorOperators.LSHL, 16)).lanewise(VectorOperators.ASHR, 16);
      acc10 = dx1.fma(((FloatVector) i10.convert(VectorOperators.I2F, 0)).mul(c0), acc10);
      IntVector i11 = s11.reinterpretAsInts();
      i11 = i11.add(i11.lanewise(VectorOperators.LSHL, 16)).lanewise(VectorOperators.ASHR, 16);
      acc11 = dx1.fma(((FloatVector) i11.convert(VectorOperators.I2F, 0)).mul(c1), acc11);
    }
    acc00.intoMemorySegment(ALL, (out & ADDRESS) + 0 * Lanes.BYTES, ORDER);
    acc01.intoMemorySegment(ALL, (out & ADDRESS) + 1 * Lanes.BYTES, ORDER);
    acc10.intoMemorySegment(ALL, (out & ADDRESS) + 2 * Lanes.BYTES, ORDER);
    acc11.intoMemorySegment(ALL, (out & ADDRESS) + 3 * Lanes.BYTES, ORDER);
  }

  /** Four rows, for machines with 32 registers. Parameters as in {@link #twoRows}. */
  static void fourRows(
      long w,
      long next,
      int fromBlock,
      int toBlock,
      long factors,
      long factorRow,
      long scales,
      long zeroPoints,
      long scaleRow,
      long out) {
    long next1 = Lanes.BITS == 512 ? next : Lanes.BYTES;
    for (int block = fromBlock; block < toBlock; block++) {
      long tile = w + (long) (block >> 1) * Q4Layout.TILE_BYTES;
      long lines = tile + LINE + (block & 1) * (4 * LINE);
      long n0 = (zeroPoints + 4L * block) & ADDRESS;
      ShortVector s00 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, n0)).reinterpretAsShorts();
      ShortVector s01 = s00;
      long n1 = (zeroPoints + scaleRow + 4L * block) & ADDRESS;
      ShortVector s10 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, n1)).reinterpretAsShorts();
      ShortVector s11 = s10;
      long n2 = (zeroPoints + 2 * scaleRow + 4L * block) & ADDRESS;
      ShortVector s20 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, n2)).reinterpretAsShorts();
      ShortVector s21 = s20;
      long n3 = (zeroPoints + 3 * scaleRow + 4L * block) & ADDRESS;
      ShortVector s30 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, n3)).reinterpretAsShorts();
      ShortVector s31 = s30;
      for (int line = 0; line < 4; line++) {
        long f0 = (factors + block * 64L + line * 16L) & ADDRESS;
        long f1 = (factors + factorRow + block * 64L + line * 16L) & ADDRESS;
        long f2 = (factors + 2 * factorRow + block * 64L + line * 16L) & ADDRESS;
        long f3 = (factors + 3 * factorRow + block * 64L + line * 16L) & ADDRESS;
        long l = lines + (long) line * LINE;
        IntVector a = IntVector.fromMemorySegment(I, ALL, l & ADDRESS, ORDER);
        IntVector b = IntVector.fromMemorySegment(I, ALL, (l + next1) & ADDRESS, ORDER);
        ShortVector a0 = a.reinterpretAsShorts();
        ShortVector b0 = b.reinterpretAsShorts();
        ShortVector z00 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f0))
                .reinterpretAsShorts();
        s00 = s00.add(a0.mul(z00));
        s01 = s01.add(b0.mul(z00));
        ShortVector z10 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f1))
                .reinterpretAsShorts();
        s10 = s10.add(a0.mul(z10));
        s11 = s11.add(b0.mul(z10));
        ShortVector z20 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f2))
                .reinterpretAsShorts();
        s20 = s20.add(a0.mul(z20));
        s21 = s21.add(b0.mul(z20));
        ShortVector z30 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f3))
                .reinterpretAsShorts();
        s30 = s30.add(a0.mul(z30));
        s31 = s31.add(b0.mul(z30));
        a = a.lanewise(VectorOperators.LSHR, 4);
        b = b.lanewise(VectorOperators.LSHR, 4);
        ShortVector a1 = a.reinterpretAsShorts();
        ShortVector b1 = b.reinterpretAsShorts();
        ShortVector z01 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f0 + 4))
                .reinterpretAsShorts();
        s00 = s00.add(a1.mul(z01));
        s01 = s01.add(b1.mul(z01));
        ShortVector z11 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f1 + 4))
                .reinterpretAsShorts();
        s10 = s10.add(a1.mul(z11));
        s11 = s11.add(b1.mul(z11));
        ShortVector z21 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f2 + 4))
                .reinterpretAsShorts();
        s20 = s20.add(a1.mul(z21));
        s21 = s21.add(b1.mul(z21));
        ShortVector z31 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f3 + 4))
                .reinterpretAsShorts();
        s30 = s30.add(a1.mul(z31));
        s31 = s31.add(b1.mul(z31));
        a = a.lanewise(VectorOperators.LSHR, 4);
        b = b.lanewise(VectorOperators.LSHR, 4);
        ShortVector a2 = a.reinterpretAsShorts();
        ShortVector b2 = b.reinterpretAsShorts();
        ShortVector z02 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f0 + 8))
                .reinterpretAsShorts();
        s00 = s00.add(a2.mul(z02));
        s01 = s01.add(b2.mul(z02));
        ShortVector z12 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f1 + 8))
                .reinterpretAsShorts();
        s10 = s10.add(a2.mul(z12));
        s11 = s11.add(b2.mul(z12));
        ShortVector z22 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f2 + 8))
                .reinterpretAsShorts();
        s20 = s20.add(a2.mul(z22));
        s21 = s21.add(b2.mul(z22));
        ShortVector z32 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f3 + 8))
                .reinterpretAsShorts();
        s30 = s30.add(a2.mul(z32));
        s31 = s31.add(b2.mul(z32));
        a = a.lanewise(VectorOperators.LSHR, 4);
        b = b.lanewise(VectorOperators.LSHR, 4);
        ShortVector a3 = a.reinterpretAsShorts();
        ShortVector b3 = b.reinterpretAsShorts();
        ShortVector z03 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f0 + 12))
                .reinterpretAsShorts();
        s00 = s00.add(a3.mul(z03));
        s01 = s01.add(b3.mul(z03));
        ShortVector z13 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f1 + 12))
                .reinterpretAsShorts();
        s10 = s10.add(a3.mul(z13));
        s11 = s11.add(b3.mul(z13));
        ShortVector z23 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f2 + 12))
                .reinterpretAsShorts();
        s20 = s20.add(a3.mul(z23));
        s21 = s21.add(b3.mul(z23));
        ShortVector z33 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, f3 + 12))
                .reinterpretAsShorts();
        s30 = s30.add(a3.mul(z33));
        s31 = s31.add(b3.mul(z33));
      }
      int up = 16 - 16 * (block & 1);
      FloatVector c0 =
          IntVector.fromMemorySegment(I, ALL, tile & ADDRESS, ORDER)
              .lanewise(VectorOperators.LSHL, up)
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_MASK)
              .reinterpretAsFloats()
              .mul(HALF_SCALE);
      FloatVector c1 =
          IntVector.fromMemorySegment(I, ALL, (tile + next1) & ADDRESS, ORDER)
              .lanewise(VectorOperators.LSHL, up)
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_MASK)
              .reinterpretAsFloats()
              .mul(HALF_SCALE);
      long y = out & ADDRESS;
      long d0 = (scales + 4L * block) & ADDRESS;
      FloatVector dx0 = FloatVector.broadcast(F, ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, d0));
      IntVector i00 = s00.reinterpretAsInts();
      i00 = i00.add(i00.lanewise(VectorOperators.LSHL, 16)).lanewise(VectorOperators.ASHR, 16);
      FloatVector t00 = ((FloatVector) i00.convert(VectorOperators.I2F, 0)).mul(c0);
      dx0.fma(t00, FloatVector.fromMemorySegment(F, ALL, y, ORDER))
          .intoMemorySegment(ALL, y, ORDER);
      IntVector i01 = s01.reinterpretAsInts();
      i01 = i01.add(i01.lanewise(VectorOperators.LSHL, 16)).lanewise(VectorOperators.ASHR, 16);
      FloatVector t01 = ((FloatVector) i01.convert(VectorOperators.I2F, 0)).mul(c1);
      dx0.fma(t01, FloatVector.fromMemorySegment(F, ALL, y + 1 * Lanes.BYTES, ORDER))
          .intoMemorySegment(ALL, y + 1 * Lanes.BYTES, ORDER);
      long d1 = (scales + scaleRow + 4L * block) & ADDRESS;
      FloatVector dx1 = FloatVector.broadcast(F, ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, d1));
      IntVector i10 = s10.reinterpretAsInts();
      i10 = i10.add(i10.lanewise(VectorOperators.LSHL, 16)).lanewise(VectorOperators.ASHR, 16);
      FloatVector t10 = ((FloatVector) i10.convert(VectorOperators.I2F, 0)).mul(c0);
      dx1.fma(t10, FloatVector.fromMemorySegment(F, ALL, y + 2 * Lanes.BYTES, ORDER))
          .intoMemorySegment(ALL, y + 2 * Lanes.BYTES, ORDER);
      IntVector i11 = s11.reinterpretAsInts();
      i11 = i11.add(i11.lanewise(VectorOperators.LSHL, 16)).lanewise(VectorOperators.ASHR, 16);
      FloatVector t11 = ((FloatVector) i11.convert(VectorOperators.I2F, 0)).mul(c1);
      dx1.fma(t11, FloatVector.fromMemorySegment(F, ALL, y + 3 * Lanes.BYTES, ORDER))
          .intoMemorySegment(ALL, y + 3 * Lanes.BYTES, ORDER);
      long d2 = (scales + 2 * scaleRow + 4L * block) & ADDRESS;
      FloatVector dx2 = FloatVector.broadcast(F, ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, d2));
      IntVector i20 = s20.reinterpretAsInts();
      i20 = i20.add(i20.lanewise(VectorOperators.LSHL, 16)).lanewise(VectorOperators.ASHR, 16);
      FloatVector t20 = ((FloatVector) i20.convert(VectorOperators.I2F, 0)).mul(c0);
      dx2.fma(t20, FloatVector.fromMemorySegment(F, ALL, y + 4 * Lanes.BYTES, ORDER))
          .intoMemorySegment(ALL, y + 4 * Lanes.BYTES, ORDER);
      IntVector i21 = s21.reinterpretAsInts();
      i21 = i21.add(i21.lanewise(VectorOperators.LSHL, 16)).lanewise(VectorOperators.ASHR, 16);
      FloatVector t21 = ((FloatVector) i21.convert(VectorOperators.I2F, 0)).mul(c1);
      dx2.fma(t21, FloatVector.fromMemorySegment(F, ALL, y + 5 * Lanes.BYTES, ORDER))
          .intoMemorySegment(ALL, y + 5 * Lanes.BYTES, ORDER);
      long d3 = (scales + 3 * scaleRow + 4L * block) & ADDRESS;
      FloatVector dx3 = FloatVector.broadcast(F, ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, d3));
      IntVector i30 = s30.reinterpretAsInts();
      i30 = i30.add(i30.lanewise(VectorOperators.LSHL, 16)).lanewise(VectorOperators.ASHR, 16);
      FloatVector t30 = ((FloatVector) i30.convert(VectorOperators.I2F, 0)).mul(c0);
      dx3.fma(t30, FloatVector.fromMemorySegment(F, ALL, y + 6 * Lanes.BYTES, ORDER))
          .intoMemorySegment(ALL, y + 6 * Lanes.BYTES, ORDER);
      IntVector i31 = s31.reinterpretAsInts();
      i31 = i31.add(i31.lanewise(VectorOperators.LSHL, 16)).lanewise(VectorOperators.ASHR, 16);
      FloatVector t31 = ((FloatVector) i31.convert(VectorOperators.I2F, 0)).mul(c1);
      dx3.fma(t31, FloatVector.fromMemorySegment(F, ALL, y + 7 * Lanes.BYTES, ORDER))
          .intoMemorySegment(ALL, y + 7 * Lanes.BYTES, ORDER);
    }
  }
}
