package dev.caravan.worker.kernel.simd;

import static dev.caravan.worker.kernel.simd.Lanes.F;
import static dev.caravan.worker.kernel.simd.Lanes.I;
import static dev.caravan.worker.kernel.simd.Lanes.S;
import static dev.caravan.worker.kernel.simd.Memory.ADDRESS;
import static dev.caravan.worker.kernel.simd.Memory.ALL;

import dev.caravan.worker.tensor.WeightLayout;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Nibbles as panels of 16-bit numbers, and the innermost loop that multiplies one activation row by
 * eight vectors of them.
 *
 * <p>Each weight is used once a row, so it is an operand in memory: what is loaded are the factors
 * alone, and eight sums, a factor and a product leave registers to spare. On a core with two loads
 * and two multiplications a cycle this is as fast as sums of several rows, needs no tiles of rows,
 * and computes twice the products of floats.
 *
 * <p>A panel is [blocks][{@link #PAIRS}][eight vectors]: 32 bits a weight row, which hold nibbles j
 * and j + 4 of a line (bits above them belong to others and are cancelled by the factors, see
 * {@link dev.caravan.worker.tensor.MatmulInput}). Scales, minima and results are [blocks or
 * 1][eight vectors] floats. All positions are addresses, see {@link Memory}. Methods are flat
 * because the compiler boxes vectors that cross a call it does not inline.
 */
final class NibblePanels {
  /** Vectors of weight rows that are multiplied together. */
  static final int VECTORS = 8;

  /** Weight rows of them. */
  static final int OUTPUTS = VECTORS * Lanes.COUNT;

  /** Bytes of one line of a panel, and of a row of results. */
  static final int ROW = VECTORS * Lanes.BYTES;

  /** Pairs of columns of a block. */
  static final int PAIRS = WeightLayout.BLOCK_COLUMNS / 2;

  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int LINE = WeightLayout.LINE_BYTES;

  private NibblePanels() {}

  /**
   * Fills one vector of consecutive blocks of the panel from their lines of nibbles.
   *
   * @param lines of the first block, the next block's follow
   */
  static void fill(long lines, int blocks, long panel) {
    for (int block = 0; block < blocks; block++) {
      long from = (lines + block * (4L * LINE)) & ADDRESS;
      long to = (panel + (long) block * PAIRS * ROW) & ADDRESS;
      IntVector v0 = IntVector.fromMemorySegment(I, ALL, from, ORDER);
      v0.intoMemorySegment(ALL, to, ORDER);
      v0.lanewise(VectorOperators.LSHR, 4).intoMemorySegment(ALL, to + 1 * ROW, ORDER);
      v0.lanewise(VectorOperators.LSHR, 8).intoMemorySegment(ALL, to + 2 * ROW, ORDER);
      v0.lanewise(VectorOperators.LSHR, 12).intoMemorySegment(ALL, to + 3 * ROW, ORDER);
      IntVector v1 = IntVector.fromMemorySegment(I, ALL, from + 1 * LINE, ORDER);
      v1.intoMemorySegment(ALL, to + 4 * ROW, ORDER);
      v1.lanewise(VectorOperators.LSHR, 4).intoMemorySegment(ALL, to + 5 * ROW, ORDER);
      v1.lanewise(VectorOperators.LSHR, 8).intoMemorySegment(ALL, to + 6 * ROW, ORDER);
      v1.lanewise(VectorOperators.LSHR, 12).intoMemorySegment(ALL, to + 7 * ROW, ORDER);
      IntVector v2 = IntVector.fromMemorySegment(I, ALL, from + 2 * LINE, ORDER);
      v2.intoMemorySegment(ALL, to + 8 * ROW, ORDER);
      v2.lanewise(VectorOperators.LSHR, 4).intoMemorySegment(ALL, to + 9 * ROW, ORDER);
      v2.lanewise(VectorOperators.LSHR, 8).intoMemorySegment(ALL, to + 10 * ROW, ORDER);
      v2.lanewise(VectorOperators.LSHR, 12).intoMemorySegment(ALL, to + 11 * ROW, ORDER);
      IntVector v3 = IntVector.fromMemorySegment(I, ALL, from + 3 * LINE, ORDER);
      v3.intoMemorySegment(ALL, to + 12 * ROW, ORDER);
      v3.lanewise(VectorOperators.LSHR, 4).intoMemorySegment(ALL, to + 13 * ROW, ORDER);
      v3.lanewise(VectorOperators.LSHR, 8).intoMemorySegment(ALL, to + 14 * ROW, ORDER);
      v3.lanewise(VectorOperators.LSHR, 12).intoMemorySegment(ALL, to + 15 * ROW, ORDER);
    }
  }

  /**
   * Adds the products of some blocks to the results: 16-bit sums modulo 2^16, exact because no sum
   * of a block exceeds 8 * 127 * 32 after the offset of 8 is taken off.
   *
   * @param d activation scales of the row
   * @param zeroPoints of the row's blocks
   */
  static void multiply(
      long panel, int blocks, long factors, long scales, long d, long zeroPoints, long results) {
    for (int block = 0; block < blocks; block++) {
      int init = ALL.get(ValueLayout.JAVA_INT_UNALIGNED, (zeroPoints + 4L * block) & ADDRESS);
      ShortVector s0 = IntVector.broadcast(I, init).reinterpretAsShorts();
      ShortVector s1 = s0;
      ShortVector s2 = s0;
      ShortVector s3 = s0;
      ShortVector s4 = s0;
      ShortVector s5 = s0;
      ShortVector s6 = s0;
      ShortVector s7 = s0;
      for (int k = 0; k < PAIRS; k += 2) {
        long w = (panel + ((long) block * PAIRS + k) * ROW) & ADDRESS;
        long z = (factors + block * 64L + k * 4L) & ADDRESS;
        ShortVector x0 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, z))
                .reinterpretAsShorts();
        s0 = s0.add(ShortVector.fromMemorySegment(S, ALL, w, ORDER).mul(x0));
        s1 = s1.add(ShortVector.fromMemorySegment(S, ALL, w + 1 * Lanes.BYTES, ORDER).mul(x0));
        s2 = s2.add(ShortVector.fromMemorySegment(S, ALL, w + 2 * Lanes.BYTES, ORDER).mul(x0));
        s3 = s3.add(ShortVector.fromMemorySegment(S, ALL, w + 3 * Lanes.BYTES, ORDER).mul(x0));
        s4 = s4.add(ShortVector.fromMemorySegment(S, ALL, w + 4 * Lanes.BYTES, ORDER).mul(x0));
        s5 = s5.add(ShortVector.fromMemorySegment(S, ALL, w + 5 * Lanes.BYTES, ORDER).mul(x0));
        s6 = s6.add(ShortVector.fromMemorySegment(S, ALL, w + 6 * Lanes.BYTES, ORDER).mul(x0));
        s7 = s7.add(ShortVector.fromMemorySegment(S, ALL, w + 7 * Lanes.BYTES, ORDER).mul(x0));
        ShortVector x1 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, z + 4))
                .reinterpretAsShorts();
        s0 = s0.add(ShortVector.fromMemorySegment(S, ALL, w + ROW, ORDER).mul(x1));
        s1 =
            s1.add(ShortVector.fromMemorySegment(S, ALL, w + ROW + 1 * Lanes.BYTES, ORDER).mul(x1));
        s2 =
            s2.add(ShortVector.fromMemorySegment(S, ALL, w + ROW + 2 * Lanes.BYTES, ORDER).mul(x1));
        s3 =
            s3.add(ShortVector.fromMemorySegment(S, ALL, w + ROW + 3 * Lanes.BYTES, ORDER).mul(x1));
        s4 =
            s4.add(ShortVector.fromMemorySegment(S, ALL, w + ROW + 4 * Lanes.BYTES, ORDER).mul(x1));
        s5 =
            s5.add(ShortVector.fromMemorySegment(S, ALL, w + ROW + 5 * Lanes.BYTES, ORDER).mul(x1));
        s6 =
            s6.add(ShortVector.fromMemorySegment(S, ALL, w + ROW + 6 * Lanes.BYTES, ORDER).mul(x1));
        s7 =
            s7.add(ShortVector.fromMemorySegment(S, ALL, w + ROW + 7 * Lanes.BYTES, ORDER).mul(x1));
      }
      FloatVector dx =
          FloatVector.broadcast(
              F, ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, (d + 4L * block) & ADDRESS));
      long c = (scales + (long) block * ROW) & ADDRESS;
      long y = results & ADDRESS;
      IntVector i0 = s0.reinterpretAsInts();
      i0 = i0.add(i0.lanewise(VectorOperators.LSHL, 16)).lanewise(VectorOperators.ASHR, 16);
      FloatVector t0 =
          ((FloatVector) i0.convert(VectorOperators.I2F, 0))
              .mul(FloatVector.fromMemorySegment(F, ALL, c, ORDER));
      dx.fma(t0, FloatVector.fromMemorySegment(F, ALL, y, ORDER)).intoMemorySegment(ALL, y, ORDER);
      IntVector i1 = s1.reinterpretAsInts();
      i1 = i1.add(i1.lanewise(VectorOperators.LSHL, 16)).lanewise(VectorOperators.ASHR, 16);
      FloatVector t1 =
          ((FloatVector) i1.convert(VectorOperators.I2F, 0))
              .mul(FloatVector.fromMemorySegment(F, ALL, c + 1 * Lanes.BYTES, ORDER));
      dx.fma(t1, FloatVector.fromMemorySegment(F, ALL, y + 1 * Lanes.BYTES, ORDER))
          .intoMemorySegment(ALL, y + 1 * Lanes.BYTES, ORDER);
      IntVector i2 = s2.reinterpretAsInts();
      i2 = i2.add(i2.lanewise(VectorOperators.LSHL, 16)).lanewise(VectorOperators.ASHR, 16);
      FloatVector t2 =
          ((FloatVector) i2.convert(VectorOperators.I2F, 0))
              .mul(FloatVector.fromMemorySegment(F, ALL, c + 2 * Lanes.BYTES, ORDER));
      dx.fma(t2, FloatVector.fromMemorySegment(F, ALL, y + 2 * Lanes.BYTES, ORDER))
          .intoMemorySegment(ALL, y + 2 * Lanes.BYTES, ORDER);
      IntVector i3 = s3.reinterpretAsInts();
      i3 = i3.add(i3.lanewise(VectorOperators.LSHL, 16)).lanewise(VectorOperators.ASHR, 16);
      FloatVector t3 =
          ((FloatVector) i3.convert(VectorOperators.I2F, 0))
              .mul(FloatVector.fromMemorySegment(F, ALL, c + 3 * Lanes.BYTES, ORDER));
      dx.fma(t3, FloatVector.fromMemorySegment(F, ALL, y + 3 * Lanes.BYTES, ORDER))
          .intoMemorySegment(ALL, y + 3 * Lanes.BYTES, ORDER);
      IntVector i4 = s4.reinterpretAsInts();
      i4 = i4.add(i4.lanewise(VectorOperators.LSHL, 16)).lanewise(VectorOperators.ASHR, 16);
      FloatVector t4 =
          ((FloatVector) i4.convert(VectorOperators.I2F, 0))
              .mul(FloatVector.fromMemorySegment(F, ALL, c + 4 * Lanes.BYTES, ORDER));
      dx.fma(t4, FloatVector.fromMemorySegment(F, ALL, y + 4 * Lanes.BYTES, ORDER))
          .intoMemorySegment(ALL, y + 4 * Lanes.BYTES, ORDER);
      IntVector i5 = s5.reinterpretAsInts();
      i5 = i5.add(i5.lanewise(VectorOperators.LSHL, 16)).lanewise(VectorOperators.ASHR, 16);
      FloatVector t5 =
          ((FloatVector) i5.convert(VectorOperators.I2F, 0))
              .mul(FloatVector.fromMemorySegment(F, ALL, c + 5 * Lanes.BYTES, ORDER));
      dx.fma(t5, FloatVector.fromMemorySegment(F, ALL, y + 5 * Lanes.BYTES, ORDER))
          .intoMemorySegment(ALL, y + 5 * Lanes.BYTES, ORDER);
      IntVector i6 = s6.reinterpretAsInts();
      i6 = i6.add(i6.lanewise(VectorOperators.LSHL, 16)).lanewise(VectorOperators.ASHR, 16);
      FloatVector t6 =
          ((FloatVector) i6.convert(VectorOperators.I2F, 0))
              .mul(FloatVector.fromMemorySegment(F, ALL, c + 6 * Lanes.BYTES, ORDER));
      dx.fma(t6, FloatVector.fromMemorySegment(F, ALL, y + 6 * Lanes.BYTES, ORDER))
          .intoMemorySegment(ALL, y + 6 * Lanes.BYTES, ORDER);
      IntVector i7 = s7.reinterpretAsInts();
      i7 = i7.add(i7.lanewise(VectorOperators.LSHL, 16)).lanewise(VectorOperators.ASHR, 16);
      FloatVector t7 =
          ((FloatVector) i7.convert(VectorOperators.I2F, 0))
              .mul(FloatVector.fromMemorySegment(F, ALL, c + 7 * Lanes.BYTES, ORDER));
      dx.fma(t7, FloatVector.fromMemorySegment(F, ALL, y + 7 * Lanes.BYTES, ORDER))
          .intoMemorySegment(ALL, y + 7 * Lanes.BYTES, ORDER);
    }
  }

  /**
   * As {@link #multiply}; what the offset of 8 took is added again, exactly, and the minima times
   * the sums are subtracted.
   *
   * @param mins bytes from the scales to the minima
   */
  static void multiplyWithMin(
      long panel,
      int blocks,
      long factors,
      long scales,
      long mins,
      long d,
      long sums,
      long results) {
    for (int block = 0; block < blocks; block++) {
      float sum = ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, (sums + 4L * block) & ADDRESS);
      ShortVector s0 = IntVector.broadcast(I, -8 * (int) sum & 0xffff).reinterpretAsShorts();
      ShortVector s1 = s0;
      ShortVector s2 = s0;
      ShortVector s3 = s0;
      ShortVector s4 = s0;
      ShortVector s5 = s0;
      ShortVector s6 = s0;
      ShortVector s7 = s0;
      for (int k = 0; k < PAIRS; k += 2) {
        long w = (panel + ((long) block * PAIRS + k) * ROW) & ADDRESS;
        long z = (factors + block * 64L + k * 4L) & ADDRESS;
        ShortVector x0 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, z))
                .reinterpretAsShorts();
        s0 = s0.add(ShortVector.fromMemorySegment(S, ALL, w, ORDER).mul(x0));
        s1 = s1.add(ShortVector.fromMemorySegment(S, ALL, w + 1 * Lanes.BYTES, ORDER).mul(x0));
        s2 = s2.add(ShortVector.fromMemorySegment(S, ALL, w + 2 * Lanes.BYTES, ORDER).mul(x0));
        s3 = s3.add(ShortVector.fromMemorySegment(S, ALL, w + 3 * Lanes.BYTES, ORDER).mul(x0));
        s4 = s4.add(ShortVector.fromMemorySegment(S, ALL, w + 4 * Lanes.BYTES, ORDER).mul(x0));
        s5 = s5.add(ShortVector.fromMemorySegment(S, ALL, w + 5 * Lanes.BYTES, ORDER).mul(x0));
        s6 = s6.add(ShortVector.fromMemorySegment(S, ALL, w + 6 * Lanes.BYTES, ORDER).mul(x0));
        s7 = s7.add(ShortVector.fromMemorySegment(S, ALL, w + 7 * Lanes.BYTES, ORDER).mul(x0));
        ShortVector x1 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, z + 4))
                .reinterpretAsShorts();
        s0 = s0.add(ShortVector.fromMemorySegment(S, ALL, w + ROW, ORDER).mul(x1));
        s1 =
            s1.add(ShortVector.fromMemorySegment(S, ALL, w + ROW + 1 * Lanes.BYTES, ORDER).mul(x1));
        s2 =
            s2.add(ShortVector.fromMemorySegment(S, ALL, w + ROW + 2 * Lanes.BYTES, ORDER).mul(x1));
        s3 =
            s3.add(ShortVector.fromMemorySegment(S, ALL, w + ROW + 3 * Lanes.BYTES, ORDER).mul(x1));
        s4 =
            s4.add(ShortVector.fromMemorySegment(S, ALL, w + ROW + 4 * Lanes.BYTES, ORDER).mul(x1));
        s5 =
            s5.add(ShortVector.fromMemorySegment(S, ALL, w + ROW + 5 * Lanes.BYTES, ORDER).mul(x1));
        s6 =
            s6.add(ShortVector.fromMemorySegment(S, ALL, w + ROW + 6 * Lanes.BYTES, ORDER).mul(x1));
        s7 =
            s7.add(ShortVector.fromMemorySegment(S, ALL, w + ROW + 7 * Lanes.BYTES, ORDER).mul(x1));
      }
      FloatVector dx =
          FloatVector.broadcast(
              F, ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, (d + 4L * block) & ADDRESS));
      long c = (scales + (long) block * ROW) & ADDRESS;
      long m = (scales + mins + (long) block * ROW) & ADDRESS;
      FloatVector n = FloatVector.broadcast(F, sum);
      IntVector offset = IntVector.broadcast(I, 8 * (int) sum);
      long y = results & ADDRESS;
      IntVector i0 = s0.reinterpretAsInts();
      i0 =
          i0.add(i0.lanewise(VectorOperators.LSHL, 16))
              .lanewise(VectorOperators.ASHR, 16)
              .add(offset);
      FloatVector t0 =
          FloatVector.fromMemorySegment(F, ALL, m, ORDER)
              .neg()
              .fma(
                  n,
                  ((FloatVector) i0.convert(VectorOperators.I2F, 0))
                      .mul(FloatVector.fromMemorySegment(F, ALL, c, ORDER)));
      dx.fma(t0, FloatVector.fromMemorySegment(F, ALL, y, ORDER)).intoMemorySegment(ALL, y, ORDER);
      IntVector i1 = s1.reinterpretAsInts();
      i1 =
          i1.add(i1.lanewise(VectorOperators.LSHL, 16))
              .lanewise(VectorOperators.ASHR, 16)
              .add(offset);
      FloatVector t1 =
          FloatVector.fromMemorySegment(F, ALL, m + 1 * Lanes.BYTES, ORDER)
              .neg()
              .fma(
                  n,
                  ((FloatVector) i1.convert(VectorOperators.I2F, 0))
                      .mul(FloatVector.fromMemorySegment(F, ALL, c + 1 * Lanes.BYTES, ORDER)));
      dx.fma(t1, FloatVector.fromMemorySegment(F, ALL, y + 1 * Lanes.BYTES, ORDER))
          .intoMemorySegment(ALL, y + 1 * Lanes.BYTES, ORDER);
      IntVector i2 = s2.reinterpretAsInts();
      i2 =
          i2.add(i2.lanewise(VectorOperators.LSHL, 16))
              .lanewise(VectorOperators.ASHR, 16)
              .add(offset);
      FloatVector t2 =
          FloatVector.fromMemorySegment(F, ALL, m + 2 * Lanes.BYTES, ORDER)
              .neg()
              .fma(
                  n,
                  ((FloatVector) i2.convert(VectorOperators.I2F, 0))
                      .mul(FloatVector.fromMemorySegment(F, ALL, c + 2 * Lanes.BYTES, ORDER)));
      dx.fma(t2, FloatVector.fromMemorySegment(F, ALL, y + 2 * Lanes.BYTES, ORDER))
          .intoMemorySegment(ALL, y + 2 * Lanes.BYTES, ORDER);
      IntVector i3 = s3.reinterpretAsInts();
      i3 =
          i3.add(i3.lanewise(VectorOperators.LSHL, 16))
              .lanewise(VectorOperators.ASHR, 16)
              .add(offset);
      FloatVector t3 =
          FloatVector.fromMemorySegment(F, ALL, m + 3 * Lanes.BYTES, ORDER)
              .neg()
              .fma(
                  n,
                  ((FloatVector) i3.convert(VectorOperators.I2F, 0))
                      .mul(FloatVector.fromMemorySegment(F, ALL, c + 3 * Lanes.BYTES, ORDER)));
      dx.fma(t3, FloatVector.fromMemorySegment(F, ALL, y + 3 * Lanes.BYTES, ORDER))
          .intoMemorySegment(ALL, y + 3 * Lanes.BYTES, ORDER);
      IntVector i4 = s4.reinterpretAsInts();
      i4 =
          i4.add(i4.lanewise(VectorOperators.LSHL, 16))
              .lanewise(VectorOperators.ASHR, 16)
              .add(offset);
      FloatVector t4 =
          FloatVector.fromMemorySegment(F, ALL, m + 4 * Lanes.BYTES, ORDER)
              .neg()
              .fma(
                  n,
                  ((FloatVector) i4.convert(VectorOperators.I2F, 0))
                      .mul(FloatVector.fromMemorySegment(F, ALL, c + 4 * Lanes.BYTES, ORDER)));
      dx.fma(t4, FloatVector.fromMemorySegment(F, ALL, y + 4 * Lanes.BYTES, ORDER))
          .intoMemorySegment(ALL, y + 4 * Lanes.BYTES, ORDER);
      IntVector i5 = s5.reinterpretAsInts();
      i5 =
          i5.add(i5.lanewise(VectorOperators.LSHL, 16))
              .lanewise(VectorOperators.ASHR, 16)
              .add(offset);
      FloatVector t5 =
          FloatVector.fromMemorySegment(F, ALL, m + 5 * Lanes.BYTES, ORDER)
              .neg()
              .fma(
                  n,
                  ((FloatVector) i5.convert(VectorOperators.I2F, 0))
                      .mul(FloatVector.fromMemorySegment(F, ALL, c + 5 * Lanes.BYTES, ORDER)));
      dx.fma(t5, FloatVector.fromMemorySegment(F, ALL, y + 5 * Lanes.BYTES, ORDER))
          .intoMemorySegment(ALL, y + 5 * Lanes.BYTES, ORDER);
      IntVector i6 = s6.reinterpretAsInts();
      i6 =
          i6.add(i6.lanewise(VectorOperators.LSHL, 16))
              .lanewise(VectorOperators.ASHR, 16)
              .add(offset);
      FloatVector t6 =
          FloatVector.fromMemorySegment(F, ALL, m + 6 * Lanes.BYTES, ORDER)
              .neg()
              .fma(
                  n,
                  ((FloatVector) i6.convert(VectorOperators.I2F, 0))
                      .mul(FloatVector.fromMemorySegment(F, ALL, c + 6 * Lanes.BYTES, ORDER)));
      dx.fma(t6, FloatVector.fromMemorySegment(F, ALL, y + 6 * Lanes.BYTES, ORDER))
          .intoMemorySegment(ALL, y + 6 * Lanes.BYTES, ORDER);
      IntVector i7 = s7.reinterpretAsInts();
      i7 =
          i7.add(i7.lanewise(VectorOperators.LSHL, 16))
              .lanewise(VectorOperators.ASHR, 16)
              .add(offset);
      FloatVector t7 =
          FloatVector.fromMemorySegment(F, ALL, m + 7 * Lanes.BYTES, ORDER)
              .neg()
              .fma(
                  n,
                  ((FloatVector) i7.convert(VectorOperators.I2F, 0))
                      .mul(FloatVector.fromMemorySegment(F, ALL, c + 7 * Lanes.BYTES, ORDER)));
      dx.fma(t7, FloatVector.fromMemorySegment(F, ALL, y + 7 * Lanes.BYTES, ORDER))
          .intoMemorySegment(ALL, y + 7 * Lanes.BYTES, ORDER);
    }
  }
}
