package dev.caravan.worker.kernel.simd;

import static dev.caravan.worker.kernel.simd.Lanes.F;
import static dev.caravan.worker.kernel.simd.Lanes.I;
import static dev.caravan.worker.kernel.simd.Memory.ADDRESS;
import static dev.caravan.worker.kernel.simd.Memory.ALL;

import dev.caravan.worker.tensor.WeightLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * The innermost loops over panels of floats, two vectors of rows at a time, times four activation
 * rows of a tile [columns][4 rows], or one.
 *
 * <p>Twelve sums would fill sixteen registers with fewer loads, but the compiler moves loads
 * forward until some of the sums live in memory: eight sums, the vectors of a pair next to each
 * other and two columns at a time leave all of them in registers, and are three times as fast.
 *
 * <p>All positions are addresses, see {@link Memory}. Methods are flat and take many arguments, and
 * the file is long, because the compiler boxes vectors that cross a call it does not inline.
 *
 * <p>Of the kernels that scale: {@code scales} are the scales of the sums, minima {@code mins}
 * bytes after them; {@code d} and {@code n} the first row's activation scales and sums of blocks,
 * {@code next} bytes from row to row; {@code results} the first row's results, which are added to.
 * Columns of the panel, sums and results are each {@link #ROW} bytes apart.
 */
final class TileKernels {
  private static final int ROW = PanelMatmul.UNIT_ROW_BYTES;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int LINE = WeightLayout.LINE_BYTES;

  private TileKernels() {}

  /** Four rows, block after block: sums of {@code columns} columns (an even number), scaled. */
  static void fourRows(
      long panel, int sums, int columns, long x, long scales, long d, long next, long results) {
    int perBlock = WeightLayout.BLOCK_COLUMNS / columns;
    for (int sum = 0; sum < sums; sum++) {
      FloatVector s00 = FloatVector.zero(F);
      FloatVector s01 = FloatVector.zero(F);
      FloatVector s10 = FloatVector.zero(F);
      FloatVector s11 = FloatVector.zero(F);
      FloatVector s20 = FloatVector.zero(F);
      FloatVector s21 = FloatVector.zero(F);
      FloatVector s30 = FloatVector.zero(F);
      FloatVector s31 = FloatVector.zero(F);
      int first = sum * columns;
      for (int k = first; k < first + columns; k += 2) {
        long w = (panel + (long) k * ROW) & ADDRESS;
        long at = (x + k * 16L) & ADDRESS;
        FloatVector w00 = FloatVector.fromMemorySegment(F, ALL, w, ORDER);
        FloatVector w01 = FloatVector.fromMemorySegment(F, ALL, w + Lanes.BYTES, ORDER);
        FloatVector b00 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at))
                .reinterpretAsFloats();
        s00 = w00.fma(b00, s00);
        s01 = w01.fma(b00, s01);
        FloatVector b01 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at + 4))
                .reinterpretAsFloats();
        s10 = w00.fma(b01, s10);
        s11 = w01.fma(b01, s11);
        FloatVector b02 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at + 8))
                .reinterpretAsFloats();
        s20 = w00.fma(b02, s20);
        s21 = w01.fma(b02, s21);
        FloatVector b03 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at + 12))
                .reinterpretAsFloats();
        s30 = w00.fma(b03, s30);
        s31 = w01.fma(b03, s31);
        FloatVector w10 = FloatVector.fromMemorySegment(F, ALL, w + ROW, ORDER);
        FloatVector w11 = FloatVector.fromMemorySegment(F, ALL, w + ROW + Lanes.BYTES, ORDER);
        FloatVector b10 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at + 16))
                .reinterpretAsFloats();
        s00 = w10.fma(b10, s00);
        s01 = w11.fma(b10, s01);
        FloatVector b11 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at + 20))
                .reinterpretAsFloats();
        s10 = w10.fma(b11, s10);
        s11 = w11.fma(b11, s11);
        FloatVector b12 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at + 24))
                .reinterpretAsFloats();
        s20 = w10.fma(b12, s20);
        s21 = w11.fma(b12, s21);
        FloatVector b13 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at + 28))
                .reinterpretAsFloats();
        s30 = w10.fma(b13, s30);
        s31 = w11.fma(b13, s31);
      }
      long c = (scales + (long) sum * ROW) & ADDRESS;
      FloatVector scale0 = FloatVector.fromMemorySegment(F, ALL, c, ORDER);
      FloatVector scale1 = FloatVector.fromMemorySegment(F, ALL, c + Lanes.BYTES, ORDER);
      long block = 4L * (sum / perBlock);
      long r00 = (results) & ADDRESS;
      long r01 = r00 + Lanes.BYTES;
      FloatVector t00 = s00.mul(scale0);
      FloatVector t01 = s01.mul(scale1);
      FloatVector d0 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, (d + block) & ADDRESS))
              .reinterpretAsFloats();
      d0.fma(t00, FloatVector.fromMemorySegment(F, ALL, r00, ORDER))
          .intoMemorySegment(ALL, r00, ORDER);
      d0.fma(t01, FloatVector.fromMemorySegment(F, ALL, r01, ORDER))
          .intoMemorySegment(ALL, r01, ORDER);
      long r10 = (results + 1 * ROW) & ADDRESS;
      long r11 = r10 + Lanes.BYTES;
      FloatVector t10 = s10.mul(scale0);
      FloatVector t11 = s11.mul(scale1);
      FloatVector d1 =
          IntVector.broadcast(
                  I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, (d + block + 1 * next) & ADDRESS))
              .reinterpretAsFloats();
      d1.fma(t10, FloatVector.fromMemorySegment(F, ALL, r10, ORDER))
          .intoMemorySegment(ALL, r10, ORDER);
      d1.fma(t11, FloatVector.fromMemorySegment(F, ALL, r11, ORDER))
          .intoMemorySegment(ALL, r11, ORDER);
      long r20 = (results + 2 * ROW) & ADDRESS;
      long r21 = r20 + Lanes.BYTES;
      FloatVector t20 = s20.mul(scale0);
      FloatVector t21 = s21.mul(scale1);
      FloatVector d2 =
          IntVector.broadcast(
                  I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, (d + block + 2 * next) & ADDRESS))
              .reinterpretAsFloats();
      d2.fma(t20, FloatVector.fromMemorySegment(F, ALL, r20, ORDER))
          .intoMemorySegment(ALL, r20, ORDER);
      d2.fma(t21, FloatVector.fromMemorySegment(F, ALL, r21, ORDER))
          .intoMemorySegment(ALL, r21, ORDER);
      long r30 = (results + 3 * ROW) & ADDRESS;
      long r31 = r30 + Lanes.BYTES;
      FloatVector t30 = s30.mul(scale0);
      FloatVector t31 = s31.mul(scale1);
      FloatVector d3 =
          IntVector.broadcast(
                  I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, (d + block + 3 * next) & ADDRESS))
              .reinterpretAsFloats();
      d3.fma(t30, FloatVector.fromMemorySegment(F, ALL, r30, ORDER))
          .intoMemorySegment(ALL, r30, ORDER);
      d3.fma(t31, FloatVector.fromMemorySegment(F, ALL, r31, ORDER))
          .intoMemorySegment(ALL, r31, ORDER);
    }
  }

  /** As {@link #fourRows}, less the minima times the sums of the activations. */
  static void fourRowsWithMin(
      long panel,
      int sums,
      int columns,
      long x,
      long scales,
      long mins,
      long d,
      long n,
      long next,
      long results) {
    int perBlock = WeightLayout.BLOCK_COLUMNS / columns;
    for (int sum = 0; sum < sums; sum++) {
      FloatVector s00 = FloatVector.zero(F);
      FloatVector s01 = FloatVector.zero(F);
      FloatVector s10 = FloatVector.zero(F);
      FloatVector s11 = FloatVector.zero(F);
      FloatVector s20 = FloatVector.zero(F);
      FloatVector s21 = FloatVector.zero(F);
      FloatVector s30 = FloatVector.zero(F);
      FloatVector s31 = FloatVector.zero(F);
      int first = sum * columns;
      for (int k = first; k < first + columns; k += 2) {
        long w = (panel + (long) k * ROW) & ADDRESS;
        long at = (x + k * 16L) & ADDRESS;
        FloatVector w00 = FloatVector.fromMemorySegment(F, ALL, w, ORDER);
        FloatVector w01 = FloatVector.fromMemorySegment(F, ALL, w + Lanes.BYTES, ORDER);
        FloatVector b00 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at))
                .reinterpretAsFloats();
        s00 = w00.fma(b00, s00);
        s01 = w01.fma(b00, s01);
        FloatVector b01 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at + 4))
                .reinterpretAsFloats();
        s10 = w00.fma(b01, s10);
        s11 = w01.fma(b01, s11);
        FloatVector b02 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at + 8))
                .reinterpretAsFloats();
        s20 = w00.fma(b02, s20);
        s21 = w01.fma(b02, s21);
        FloatVector b03 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at + 12))
                .reinterpretAsFloats();
        s30 = w00.fma(b03, s30);
        s31 = w01.fma(b03, s31);
        FloatVector w10 = FloatVector.fromMemorySegment(F, ALL, w + ROW, ORDER);
        FloatVector w11 = FloatVector.fromMemorySegment(F, ALL, w + ROW + Lanes.BYTES, ORDER);
        FloatVector b10 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at + 16))
                .reinterpretAsFloats();
        s00 = w10.fma(b10, s00);
        s01 = w11.fma(b10, s01);
        FloatVector b11 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at + 20))
                .reinterpretAsFloats();
        s10 = w10.fma(b11, s10);
        s11 = w11.fma(b11, s11);
        FloatVector b12 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at + 24))
                .reinterpretAsFloats();
        s20 = w10.fma(b12, s20);
        s21 = w11.fma(b12, s21);
        FloatVector b13 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at + 28))
                .reinterpretAsFloats();
        s30 = w10.fma(b13, s30);
        s31 = w11.fma(b13, s31);
      }
      long c = (scales + (long) sum * ROW) & ADDRESS;
      FloatVector scale0 = FloatVector.fromMemorySegment(F, ALL, c, ORDER);
      FloatVector scale1 = FloatVector.fromMemorySegment(F, ALL, c + Lanes.BYTES, ORDER);
      long m = (scales + mins + (long) sum * ROW) & ADDRESS;
      FloatVector min0 = FloatVector.fromMemorySegment(F, ALL, m, ORDER).neg();
      FloatVector min1 = FloatVector.fromMemorySegment(F, ALL, m + Lanes.BYTES, ORDER).neg();
      long block = 4L * (sum / perBlock);
      long r00 = (results) & ADDRESS;
      long r01 = r00 + Lanes.BYTES;
      FloatVector t00 = s00.mul(scale0);
      FloatVector t01 = s01.mul(scale1);
      FloatVector n0 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, (n + block) & ADDRESS))
              .reinterpretAsFloats();
      t00 = min0.fma(n0, t00);
      t01 = min1.fma(n0, t01);
      FloatVector d0 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, (d + block) & ADDRESS))
              .reinterpretAsFloats();
      d0.fma(t00, FloatVector.fromMemorySegment(F, ALL, r00, ORDER))
          .intoMemorySegment(ALL, r00, ORDER);
      d0.fma(t01, FloatVector.fromMemorySegment(F, ALL, r01, ORDER))
          .intoMemorySegment(ALL, r01, ORDER);
      long r10 = (results + 1 * ROW) & ADDRESS;
      long r11 = r10 + Lanes.BYTES;
      FloatVector t10 = s10.mul(scale0);
      FloatVector t11 = s11.mul(scale1);
      FloatVector n1 =
          IntVector.broadcast(
                  I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, (n + block + 1 * next) & ADDRESS))
              .reinterpretAsFloats();
      t10 = min0.fma(n1, t10);
      t11 = min1.fma(n1, t11);
      FloatVector d1 =
          IntVector.broadcast(
                  I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, (d + block + 1 * next) & ADDRESS))
              .reinterpretAsFloats();
      d1.fma(t10, FloatVector.fromMemorySegment(F, ALL, r10, ORDER))
          .intoMemorySegment(ALL, r10, ORDER);
      d1.fma(t11, FloatVector.fromMemorySegment(F, ALL, r11, ORDER))
          .intoMemorySegment(ALL, r11, ORDER);
      long r20 = (results + 2 * ROW) & ADDRESS;
      long r21 = r20 + Lanes.BYTES;
      FloatVector t20 = s20.mul(scale0);
      FloatVector t21 = s21.mul(scale1);
      FloatVector n2 =
          IntVector.broadcast(
                  I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, (n + block + 2 * next) & ADDRESS))
              .reinterpretAsFloats();
      t20 = min0.fma(n2, t20);
      t21 = min1.fma(n2, t21);
      FloatVector d2 =
          IntVector.broadcast(
                  I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, (d + block + 2 * next) & ADDRESS))
              .reinterpretAsFloats();
      d2.fma(t20, FloatVector.fromMemorySegment(F, ALL, r20, ORDER))
          .intoMemorySegment(ALL, r20, ORDER);
      d2.fma(t21, FloatVector.fromMemorySegment(F, ALL, r21, ORDER))
          .intoMemorySegment(ALL, r21, ORDER);
      long r30 = (results + 3 * ROW) & ADDRESS;
      long r31 = r30 + Lanes.BYTES;
      FloatVector t30 = s30.mul(scale0);
      FloatVector t31 = s31.mul(scale1);
      FloatVector n3 =
          IntVector.broadcast(
                  I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, (n + block + 3 * next) & ADDRESS))
              .reinterpretAsFloats();
      t30 = min0.fma(n3, t30);
      t31 = min1.fma(n3, t31);
      FloatVector d3 =
          IntVector.broadcast(
                  I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, (d + block + 3 * next) & ADDRESS))
              .reinterpretAsFloats();
      d3.fma(t30, FloatVector.fromMemorySegment(F, ALL, r30, ORDER))
          .intoMemorySegment(ALL, r30, ORDER);
      d3.fma(t31, FloatVector.fromMemorySegment(F, ALL, r31, ORDER))
          .intoMemorySegment(ALL, r31, ORDER);
    }
  }

  /** One row: the last ones of a batch, and types without a kernel of their own. */
  static void oneRow(
      long panel, int sums, int columns, long x, long scales, long d, long next, long results) {
    int perBlock = WeightLayout.BLOCK_COLUMNS / columns;
    for (int sum = 0; sum < sums; sum++) {
      FloatVector s00 = FloatVector.zero(F);
      FloatVector s01 = FloatVector.zero(F);
      int first = sum * columns;
      for (int k = first; k < first + columns; k += 2) {
        long w = (panel + (long) k * ROW) & ADDRESS;
        long at = (x + k * 4L) & ADDRESS;
        FloatVector w00 = FloatVector.fromMemorySegment(F, ALL, w, ORDER);
        FloatVector w01 = FloatVector.fromMemorySegment(F, ALL, w + Lanes.BYTES, ORDER);
        FloatVector b00 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at))
                .reinterpretAsFloats();
        s00 = w00.fma(b00, s00);
        s01 = w01.fma(b00, s01);
        FloatVector w10 = FloatVector.fromMemorySegment(F, ALL, w + ROW, ORDER);
        FloatVector w11 = FloatVector.fromMemorySegment(F, ALL, w + ROW + Lanes.BYTES, ORDER);
        FloatVector b10 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at + 4))
                .reinterpretAsFloats();
        s00 = w10.fma(b10, s00);
        s01 = w11.fma(b10, s01);
      }
      long c = (scales + (long) sum * ROW) & ADDRESS;
      FloatVector scale0 = FloatVector.fromMemorySegment(F, ALL, c, ORDER);
      FloatVector scale1 = FloatVector.fromMemorySegment(F, ALL, c + Lanes.BYTES, ORDER);
      long block = 4L * (sum / perBlock);
      long r00 = (results) & ADDRESS;
      long r01 = r00 + Lanes.BYTES;
      FloatVector t00 = s00.mul(scale0);
      FloatVector t01 = s01.mul(scale1);
      FloatVector d0 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, (d + block) & ADDRESS))
              .reinterpretAsFloats();
      d0.fma(t00, FloatVector.fromMemorySegment(F, ALL, r00, ORDER))
          .intoMemorySegment(ALL, r00, ORDER);
      d0.fma(t01, FloatVector.fromMemorySegment(F, ALL, r01, ORDER))
          .intoMemorySegment(ALL, r01, ORDER);
    }
  }

  /** As {@link #oneRow}, less the minima times the sum of the activations. */
  static void oneRowWithMin(
      long panel,
      int sums,
      int columns,
      long x,
      long scales,
      long mins,
      long d,
      long n,
      long next,
      long results) {
    int perBlock = WeightLayout.BLOCK_COLUMNS / columns;
    for (int sum = 0; sum < sums; sum++) {
      FloatVector s00 = FloatVector.zero(F);
      FloatVector s01 = FloatVector.zero(F);
      int first = sum * columns;
      for (int k = first; k < first + columns; k += 2) {
        long w = (panel + (long) k * ROW) & ADDRESS;
        long at = (x + k * 4L) & ADDRESS;
        FloatVector w00 = FloatVector.fromMemorySegment(F, ALL, w, ORDER);
        FloatVector w01 = FloatVector.fromMemorySegment(F, ALL, w + Lanes.BYTES, ORDER);
        FloatVector b00 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at))
                .reinterpretAsFloats();
        s00 = w00.fma(b00, s00);
        s01 = w01.fma(b00, s01);
        FloatVector w10 = FloatVector.fromMemorySegment(F, ALL, w + ROW, ORDER);
        FloatVector w11 = FloatVector.fromMemorySegment(F, ALL, w + ROW + Lanes.BYTES, ORDER);
        FloatVector b10 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at + 4))
                .reinterpretAsFloats();
        s00 = w10.fma(b10, s00);
        s01 = w11.fma(b10, s01);
      }
      long c = (scales + (long) sum * ROW) & ADDRESS;
      FloatVector scale0 = FloatVector.fromMemorySegment(F, ALL, c, ORDER);
      FloatVector scale1 = FloatVector.fromMemorySegment(F, ALL, c + Lanes.BYTES, ORDER);
      long m = (scales + mins + (long) sum * ROW) & ADDRESS;
      FloatVector min0 = FloatVector.fromMemorySegment(F, ALL, m, ORDER).neg();
      FloatVector min1 = FloatVector.fromMemorySegment(F, ALL, m + Lanes.BYTES, ORDER).neg();
      long block = 4L * (sum / perBlock);
      long r00 = (results) & ADDRESS;
      long r01 = r00 + Lanes.BYTES;
      FloatVector t00 = s00.mul(scale0);
      FloatVector t01 = s01.mul(scale1);
      FloatVector n0 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, (n + block) & ADDRESS))
              .reinterpretAsFloats();
      t00 = min0.fma(n0, t00);
      t01 = min1.fma(n0, t01);
      FloatVector d0 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, (d + block) & ADDRESS))
              .reinterpretAsFloats();
      d0.fma(t00, FloatVector.fromMemorySegment(F, ALL, r00, ORDER))
          .intoMemorySegment(ALL, r00, ORDER);
      d0.fma(t01, FloatVector.fromMemorySegment(F, ALL, r01, ORDER))
          .intoMemorySegment(ALL, r01, ORDER);
    }
  }

  /**
   * Four rows of a tile: eight plain sums, written as two vectors a row.
   *
   * @param data holds the panel, its lines next to each other, and room for the sums
   * @param second bytes to the second vector of the pair where a vector is as long as a line;
   *     narrower ones follow each other
   */
  static void fourSums(
      MemorySegment data,
      long panel,
      long second,
      MemorySegment tiles,
      long x,
      int columns,
      long sums) {
    long first = data.address() + panel;
    long from = tiles.address() + x;
    long to = (data.address() + sums) & ADDRESS;
    FloatVector s00 = FloatVector.zero(F);
    FloatVector s01 = FloatVector.zero(F);
    FloatVector s10 = FloatVector.zero(F);
    FloatVector s11 = FloatVector.zero(F);
    FloatVector s20 = FloatVector.zero(F);
    FloatVector s21 = FloatVector.zero(F);
    FloatVector s30 = FloatVector.zero(F);
    FloatVector s31 = FloatVector.zero(F);
    int k = 0;
    for (; k < columns - 1; k += 2) {
      long w = (first + (long) k * LINE) & ADDRESS;
      long v = Lanes.BITS == 512 ? (w + second) & ADDRESS : w + Lanes.BYTES;
      long at = (from + k * 16L) & ADDRESS;
      FloatVector w00 = FloatVector.fromMemorySegment(F, ALL, w, ORDER);
      FloatVector w01 = FloatVector.fromMemorySegment(F, ALL, v, ORDER);
      FloatVector b00 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at)).reinterpretAsFloats();
      s00 = w00.fma(b00, s00);
      s01 = w01.fma(b00, s01);
      FloatVector b01 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at + 4))
              .reinterpretAsFloats();
      s10 = w00.fma(b01, s10);
      s11 = w01.fma(b01, s11);
      FloatVector b02 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at + 8))
              .reinterpretAsFloats();
      s20 = w00.fma(b02, s20);
      s21 = w01.fma(b02, s21);
      FloatVector b03 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at + 12))
              .reinterpretAsFloats();
      s30 = w00.fma(b03, s30);
      s31 = w01.fma(b03, s31);
      FloatVector w10 = FloatVector.fromMemorySegment(F, ALL, w + LINE, ORDER);
      FloatVector w11 = FloatVector.fromMemorySegment(F, ALL, v + LINE, ORDER);
      FloatVector b10 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at + 16))
              .reinterpretAsFloats();
      s00 = w10.fma(b10, s00);
      s01 = w11.fma(b10, s01);
      FloatVector b11 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at + 20))
              .reinterpretAsFloats();
      s10 = w10.fma(b11, s10);
      s11 = w11.fma(b11, s11);
      FloatVector b12 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at + 24))
              .reinterpretAsFloats();
      s20 = w10.fma(b12, s20);
      s21 = w11.fma(b12, s21);
      FloatVector b13 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at + 28))
              .reinterpretAsFloats();
      s30 = w10.fma(b13, s30);
      s31 = w11.fma(b13, s31);
    }
    if (k < columns) {
      long w = (first + (long) k * LINE) & ADDRESS;
      long v = Lanes.BITS == 512 ? (w + second) & ADDRESS : w + Lanes.BYTES;
      long at = (from + k * 16L) & ADDRESS;
      FloatVector w00 = FloatVector.fromMemorySegment(F, ALL, w, ORDER);
      FloatVector w01 = FloatVector.fromMemorySegment(F, ALL, v, ORDER);
      FloatVector b00 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at)).reinterpretAsFloats();
      s00 = w00.fma(b00, s00);
      s01 = w01.fma(b00, s01);
      FloatVector b01 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at + 4))
              .reinterpretAsFloats();
      s10 = w00.fma(b01, s10);
      s11 = w01.fma(b01, s11);
      FloatVector b02 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at + 8))
              .reinterpretAsFloats();
      s20 = w00.fma(b02, s20);
      s21 = w01.fma(b02, s21);
      FloatVector b03 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at + 12))
              .reinterpretAsFloats();
      s30 = w00.fma(b03, s30);
      s31 = w01.fma(b03, s31);
    }
    s00.intoMemorySegment(ALL, to, ORDER);
    s01.intoMemorySegment(ALL, to + 1 * Lanes.BYTES, ORDER);
    s10.intoMemorySegment(ALL, to + 2 * Lanes.BYTES, ORDER);
    s11.intoMemorySegment(ALL, to + 3 * Lanes.BYTES, ORDER);
    s20.intoMemorySegment(ALL, to + 4 * Lanes.BYTES, ORDER);
    s21.intoMemorySegment(ALL, to + 5 * Lanes.BYTES, ORDER);
    s30.intoMemorySegment(ALL, to + 6 * Lanes.BYTES, ORDER);
    s31.intoMemorySegment(ALL, to + 7 * Lanes.BYTES, ORDER);
  }
}
