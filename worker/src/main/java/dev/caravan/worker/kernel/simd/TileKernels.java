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
 * The innermost loops over panels of floats [columns][16 rows], two vectors of rows at a time,
 * times six activation rows of a tile [columns][6 rows], or one: twelve sums, two weight vectors
 * and a broadcast fill sixteen registers.
 *
 * <p>All positions are addresses, see {@link Memory}. Methods are flat and take many arguments
 * because the compiler boxes vectors that cross a call it does not inline.
 *
 * <p>Of the kernels that scale: {@code c0} and {@code c1} are the scales of the sums, one line a
 * sum, minima {@code mins} bytes after them; {@code d} and {@code n} the first row's activation
 * scales and sums of blocks, {@code next} bytes from row to row; {@code a0} and {@code a1} the
 * first row's results, which are added to, {@link #ROW} bytes from row to row.
 */
final class TileKernels {
  /** Bytes from one row of results to the next. */
  static final int ROW = PanelMatmul.RESULT_ROW_BYTES;

  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int LINE = WeightLayout.LINE_BYTES;

  private TileKernels() {}

  /** Six rows, block after block: sums of {@code columns} columns, scaled. */
  static void sixRows(
      long p0,
      long p1,
      int sums,
      int columns,
      long x,
      long c0,
      long c1,
      long d,
      long next,
      long a0,
      long a1) {
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
      FloatVector s40 = FloatVector.zero(F);
      FloatVector s41 = FloatVector.zero(F);
      FloatVector s50 = FloatVector.zero(F);
      FloatVector s51 = FloatVector.zero(F);
      int first = sum * columns;
      for (int k = 0; k < columns; k++) {
        long step = (long) (first + k) * LINE;
        FloatVector w0 = FloatVector.fromMemorySegment(F, ALL, (p0 + step) & ADDRESS, ORDER);
        FloatVector w1 = FloatVector.fromMemorySegment(F, ALL, (p1 + step) & ADDRESS, ORDER);
        long at = (x + (first + k) * 24L) & ADDRESS;
        FloatVector b0 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at))
                .reinterpretAsFloats();
        s00 = w0.fma(b0, s00);
        s01 = w1.fma(b0, s01);
        FloatVector b1 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at + 4))
                .reinterpretAsFloats();
        s10 = w0.fma(b1, s10);
        s11 = w1.fma(b1, s11);
        FloatVector b2 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at + 8))
                .reinterpretAsFloats();
        s20 = w0.fma(b2, s20);
        s21 = w1.fma(b2, s21);
        FloatVector b3 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at + 12))
                .reinterpretAsFloats();
        s30 = w0.fma(b3, s30);
        s31 = w1.fma(b3, s31);
        FloatVector b4 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at + 16))
                .reinterpretAsFloats();
        s40 = w0.fma(b4, s40);
        s41 = w1.fma(b4, s41);
        FloatVector b5 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at + 20))
                .reinterpretAsFloats();
        s50 = w0.fma(b5, s50);
        s51 = w1.fma(b5, s51);
      }
      long line = (long) sum * LINE;
      FloatVector scale0 = FloatVector.fromMemorySegment(F, ALL, (c0 + line) & ADDRESS, ORDER);
      FloatVector scale1 = FloatVector.fromMemorySegment(F, ALL, (c1 + line) & ADDRESS, ORDER);
      long block = 4L * (sum / perBlock);
      long r00 = (a0) & ADDRESS;
      FloatVector t00 = s00.mul(scale0);
      long r01 = (a1) & ADDRESS;
      FloatVector t01 = s01.mul(scale1);
      FloatVector d0 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, (d + block) & ADDRESS))
              .reinterpretAsFloats();
      d0.fma(t00, FloatVector.fromMemorySegment(F, ALL, r00, ORDER))
          .intoMemorySegment(ALL, r00, ORDER);
      d0.fma(t01, FloatVector.fromMemorySegment(F, ALL, r01, ORDER))
          .intoMemorySegment(ALL, r01, ORDER);
      long r10 = (a0 + 1 * ROW) & ADDRESS;
      FloatVector t10 = s10.mul(scale0);
      long r11 = (a1 + 1 * ROW) & ADDRESS;
      FloatVector t11 = s11.mul(scale1);
      FloatVector d1 =
          IntVector.broadcast(
                  I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, (d + block + 1 * next) & ADDRESS))
              .reinterpretAsFloats();
      d1.fma(t10, FloatVector.fromMemorySegment(F, ALL, r10, ORDER))
          .intoMemorySegment(ALL, r10, ORDER);
      d1.fma(t11, FloatVector.fromMemorySegment(F, ALL, r11, ORDER))
          .intoMemorySegment(ALL, r11, ORDER);
      long r20 = (a0 + 2 * ROW) & ADDRESS;
      FloatVector t20 = s20.mul(scale0);
      long r21 = (a1 + 2 * ROW) & ADDRESS;
      FloatVector t21 = s21.mul(scale1);
      FloatVector d2 =
          IntVector.broadcast(
                  I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, (d + block + 2 * next) & ADDRESS))
              .reinterpretAsFloats();
      d2.fma(t20, FloatVector.fromMemorySegment(F, ALL, r20, ORDER))
          .intoMemorySegment(ALL, r20, ORDER);
      d2.fma(t21, FloatVector.fromMemorySegment(F, ALL, r21, ORDER))
          .intoMemorySegment(ALL, r21, ORDER);
      long r30 = (a0 + 3 * ROW) & ADDRESS;
      FloatVector t30 = s30.mul(scale0);
      long r31 = (a1 + 3 * ROW) & ADDRESS;
      FloatVector t31 = s31.mul(scale1);
      FloatVector d3 =
          IntVector.broadcast(
                  I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, (d + block + 3 * next) & ADDRESS))
              .reinterpretAsFloats();
      d3.fma(t30, FloatVector.fromMemorySegment(F, ALL, r30, ORDER))
          .intoMemorySegment(ALL, r30, ORDER);
      d3.fma(t31, FloatVector.fromMemorySegment(F, ALL, r31, ORDER))
          .intoMemorySegment(ALL, r31, ORDER);
      long r40 = (a0 + 4 * ROW) & ADDRESS;
      FloatVector t40 = s40.mul(scale0);
      long r41 = (a1 + 4 * ROW) & ADDRESS;
      FloatVector t41 = s41.mul(scale1);
      FloatVector d4 =
          IntVector.broadcast(
                  I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, (d + block + 4 * next) & ADDRESS))
              .reinterpretAsFloats();
      d4.fma(t40, FloatVector.fromMemorySegment(F, ALL, r40, ORDER))
          .intoMemorySegment(ALL, r40, ORDER);
      d4.fma(t41, FloatVector.fromMemorySegment(F, ALL, r41, ORDER))
          .intoMemorySegment(ALL, r41, ORDER);
      long r50 = (a0 + 5 * ROW) & ADDRESS;
      FloatVector t50 = s50.mul(scale0);
      long r51 = (a1 + 5 * ROW) & ADDRESS;
      FloatVector t51 = s51.mul(scale1);
      FloatVector d5 =
          IntVector.broadcast(
                  I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, (d + block + 5 * next) & ADDRESS))
              .reinterpretAsFloats();
      d5.fma(t50, FloatVector.fromMemorySegment(F, ALL, r50, ORDER))
          .intoMemorySegment(ALL, r50, ORDER);
      d5.fma(t51, FloatVector.fromMemorySegment(F, ALL, r51, ORDER))
          .intoMemorySegment(ALL, r51, ORDER);
    }
  }

  /** As {@link #sixRows}, less the minima times the sums of the activations. */
  static void sixRowsWithMin(
      long p0,
      long p1,
      int sums,
      int columns,
      long x,
      long c0,
      long c1,
      long mins,
      long d,
      long n,
      long next,
      long a0,
      long a1) {
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
      FloatVector s40 = FloatVector.zero(F);
      FloatVector s41 = FloatVector.zero(F);
      FloatVector s50 = FloatVector.zero(F);
      FloatVector s51 = FloatVector.zero(F);
      int first = sum * columns;
      for (int k = 0; k < columns; k++) {
        long step = (long) (first + k) * LINE;
        FloatVector w0 = FloatVector.fromMemorySegment(F, ALL, (p0 + step) & ADDRESS, ORDER);
        FloatVector w1 = FloatVector.fromMemorySegment(F, ALL, (p1 + step) & ADDRESS, ORDER);
        long at = (x + (first + k) * 24L) & ADDRESS;
        FloatVector b0 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at))
                .reinterpretAsFloats();
        s00 = w0.fma(b0, s00);
        s01 = w1.fma(b0, s01);
        FloatVector b1 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at + 4))
                .reinterpretAsFloats();
        s10 = w0.fma(b1, s10);
        s11 = w1.fma(b1, s11);
        FloatVector b2 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at + 8))
                .reinterpretAsFloats();
        s20 = w0.fma(b2, s20);
        s21 = w1.fma(b2, s21);
        FloatVector b3 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at + 12))
                .reinterpretAsFloats();
        s30 = w0.fma(b3, s30);
        s31 = w1.fma(b3, s31);
        FloatVector b4 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at + 16))
                .reinterpretAsFloats();
        s40 = w0.fma(b4, s40);
        s41 = w1.fma(b4, s41);
        FloatVector b5 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at + 20))
                .reinterpretAsFloats();
        s50 = w0.fma(b5, s50);
        s51 = w1.fma(b5, s51);
      }
      long line = (long) sum * LINE;
      FloatVector scale0 = FloatVector.fromMemorySegment(F, ALL, (c0 + line) & ADDRESS, ORDER);
      FloatVector scale1 = FloatVector.fromMemorySegment(F, ALL, (c1 + line) & ADDRESS, ORDER);
      FloatVector min0 =
          FloatVector.fromMemorySegment(F, ALL, (c0 + mins + line) & ADDRESS, ORDER).neg();
      FloatVector min1 =
          FloatVector.fromMemorySegment(F, ALL, (c1 + mins + line) & ADDRESS, ORDER).neg();
      long block = 4L * (sum / perBlock);
      long r00 = (a0) & ADDRESS;
      FloatVector t00 = s00.mul(scale0);
      long r01 = (a1) & ADDRESS;
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
      long r10 = (a0 + 1 * ROW) & ADDRESS;
      FloatVector t10 = s10.mul(scale0);
      long r11 = (a1 + 1 * ROW) & ADDRESS;
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
      long r20 = (a0 + 2 * ROW) & ADDRESS;
      FloatVector t20 = s20.mul(scale0);
      long r21 = (a1 + 2 * ROW) & ADDRESS;
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
      long r30 = (a0 + 3 * ROW) & ADDRESS;
      FloatVector t30 = s30.mul(scale0);
      long r31 = (a1 + 3 * ROW) & ADDRESS;
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
      long r40 = (a0 + 4 * ROW) & ADDRESS;
      FloatVector t40 = s40.mul(scale0);
      long r41 = (a1 + 4 * ROW) & ADDRESS;
      FloatVector t41 = s41.mul(scale1);
      FloatVector n4 =
          IntVector.broadcast(
                  I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, (n + block + 4 * next) & ADDRESS))
              .reinterpretAsFloats();
      t40 = min0.fma(n4, t40);
      t41 = min1.fma(n4, t41);
      FloatVector d4 =
          IntVector.broadcast(
                  I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, (d + block + 4 * next) & ADDRESS))
              .reinterpretAsFloats();
      d4.fma(t40, FloatVector.fromMemorySegment(F, ALL, r40, ORDER))
          .intoMemorySegment(ALL, r40, ORDER);
      d4.fma(t41, FloatVector.fromMemorySegment(F, ALL, r41, ORDER))
          .intoMemorySegment(ALL, r41, ORDER);
      long r50 = (a0 + 5 * ROW) & ADDRESS;
      FloatVector t50 = s50.mul(scale0);
      long r51 = (a1 + 5 * ROW) & ADDRESS;
      FloatVector t51 = s51.mul(scale1);
      FloatVector n5 =
          IntVector.broadcast(
                  I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, (n + block + 5 * next) & ADDRESS))
              .reinterpretAsFloats();
      t50 = min0.fma(n5, t50);
      t51 = min1.fma(n5, t51);
      FloatVector d5 =
          IntVector.broadcast(
                  I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, (d + block + 5 * next) & ADDRESS))
              .reinterpretAsFloats();
      d5.fma(t50, FloatVector.fromMemorySegment(F, ALL, r50, ORDER))
          .intoMemorySegment(ALL, r50, ORDER);
      d5.fma(t51, FloatVector.fromMemorySegment(F, ALL, r51, ORDER))
          .intoMemorySegment(ALL, r51, ORDER);
    }
  }

  /** One row: the last ones of a batch, and types without a kernel of their own. */
  static void oneRow(
      long p0,
      long p1,
      int sums,
      int columns,
      long x,
      long c0,
      long c1,
      long d,
      long next,
      long a0,
      long a1) {
    int perBlock = WeightLayout.BLOCK_COLUMNS / columns;
    for (int sum = 0; sum < sums; sum++) {
      FloatVector s00 = FloatVector.zero(F);
      FloatVector s01 = FloatVector.zero(F);
      int first = sum * columns;
      for (int k = 0; k < columns; k++) {
        long step = (long) (first + k) * LINE;
        FloatVector w0 = FloatVector.fromMemorySegment(F, ALL, (p0 + step) & ADDRESS, ORDER);
        FloatVector w1 = FloatVector.fromMemorySegment(F, ALL, (p1 + step) & ADDRESS, ORDER);
        long at = (x + (first + k) * 4L) & ADDRESS;
        FloatVector b0 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at))
                .reinterpretAsFloats();
        s00 = w0.fma(b0, s00);
        s01 = w1.fma(b0, s01);
      }
      long line = (long) sum * LINE;
      FloatVector scale0 = FloatVector.fromMemorySegment(F, ALL, (c0 + line) & ADDRESS, ORDER);
      FloatVector scale1 = FloatVector.fromMemorySegment(F, ALL, (c1 + line) & ADDRESS, ORDER);
      long block = 4L * (sum / perBlock);
      long r00 = (a0) & ADDRESS;
      FloatVector t00 = s00.mul(scale0);
      long r01 = (a1) & ADDRESS;
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
      long p0,
      long p1,
      int sums,
      int columns,
      long x,
      long c0,
      long c1,
      long mins,
      long d,
      long n,
      long next,
      long a0,
      long a1) {
    int perBlock = WeightLayout.BLOCK_COLUMNS / columns;
    for (int sum = 0; sum < sums; sum++) {
      FloatVector s00 = FloatVector.zero(F);
      FloatVector s01 = FloatVector.zero(F);
      int first = sum * columns;
      for (int k = 0; k < columns; k++) {
        long step = (long) (first + k) * LINE;
        FloatVector w0 = FloatVector.fromMemorySegment(F, ALL, (p0 + step) & ADDRESS, ORDER);
        FloatVector w1 = FloatVector.fromMemorySegment(F, ALL, (p1 + step) & ADDRESS, ORDER);
        long at = (x + (first + k) * 4L) & ADDRESS;
        FloatVector b0 =
            IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at))
                .reinterpretAsFloats();
        s00 = w0.fma(b0, s00);
        s01 = w1.fma(b0, s01);
      }
      long line = (long) sum * LINE;
      FloatVector scale0 = FloatVector.fromMemorySegment(F, ALL, (c0 + line) & ADDRESS, ORDER);
      FloatVector scale1 = FloatVector.fromMemorySegment(F, ALL, (c1 + line) & ADDRESS, ORDER);
      FloatVector min0 =
          FloatVector.fromMemorySegment(F, ALL, (c0 + mins + line) & ADDRESS, ORDER).neg();
      FloatVector min1 =
          FloatVector.fromMemorySegment(F, ALL, (c1 + mins + line) & ADDRESS, ORDER).neg();
      long block = 4L * (sum / perBlock);
      long r00 = (a0) & ADDRESS;
      FloatVector t00 = s00.mul(scale0);
      long r01 = (a1) & ADDRESS;
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
   * Six rows of a tile: twelve plain sums, written as two vectors a row.
   *
   * @param data holds the panel at p0 and p1, and room for the sums
   */
  static void sixSums(
      MemorySegment data, long p0, long p1, MemorySegment tiles, long x, int columns, long sums) {
    long w = data.address();
    long from = tiles.address() + x;
    long to = (w + sums) & ADDRESS;
    FloatVector s00 = FloatVector.zero(F);
    FloatVector s01 = FloatVector.zero(F);
    FloatVector s10 = FloatVector.zero(F);
    FloatVector s11 = FloatVector.zero(F);
    FloatVector s20 = FloatVector.zero(F);
    FloatVector s21 = FloatVector.zero(F);
    FloatVector s30 = FloatVector.zero(F);
    FloatVector s31 = FloatVector.zero(F);
    FloatVector s40 = FloatVector.zero(F);
    FloatVector s41 = FloatVector.zero(F);
    FloatVector s50 = FloatVector.zero(F);
    FloatVector s51 = FloatVector.zero(F);
    for (int k = 0; k < columns; k++) {
      long step = (long) k * LINE;
      FloatVector w0 = FloatVector.fromMemorySegment(F, ALL, (w + p0 + step) & ADDRESS, ORDER);
      FloatVector w1 = FloatVector.fromMemorySegment(F, ALL, (w + p1 + step) & ADDRESS, ORDER);
      long at = (from + k * 24L) & ADDRESS;
      FloatVector b0 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at)).reinterpretAsFloats();
      s00 = w0.fma(b0, s00);
      s01 = w1.fma(b0, s01);
      FloatVector b1 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at + 4))
              .reinterpretAsFloats();
      s10 = w0.fma(b1, s10);
      s11 = w1.fma(b1, s11);
      FloatVector b2 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at + 8))
              .reinterpretAsFloats();
      s20 = w0.fma(b2, s20);
      s21 = w1.fma(b2, s21);
      FloatVector b3 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at + 12))
              .reinterpretAsFloats();
      s30 = w0.fma(b3, s30);
      s31 = w1.fma(b3, s31);
      FloatVector b4 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at + 16))
              .reinterpretAsFloats();
      s40 = w0.fma(b4, s40);
      s41 = w1.fma(b4, s41);
      FloatVector b5 =
          IntVector.broadcast(I, ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at + 20))
              .reinterpretAsFloats();
      s50 = w0.fma(b5, s50);
      s51 = w1.fma(b5, s51);
    }
    s00.intoMemorySegment(ALL, to, ORDER);
    s01.intoMemorySegment(ALL, to + 1 * Lanes.BYTES, ORDER);
    s10.intoMemorySegment(ALL, to + 2 * Lanes.BYTES, ORDER);
    s11.intoMemorySegment(ALL, to + 3 * Lanes.BYTES, ORDER);
    s20.intoMemorySegment(ALL, to + 4 * Lanes.BYTES, ORDER);
    s21.intoMemorySegment(ALL, to + 5 * Lanes.BYTES, ORDER);
    s30.intoMemorySegment(ALL, to + 6 * Lanes.BYTES, ORDER);
    s31.intoMemorySegment(ALL, to + 7 * Lanes.BYTES, ORDER);
    s40.intoMemorySegment(ALL, to + 8 * Lanes.BYTES, ORDER);
    s41.intoMemorySegment(ALL, to + 9 * Lanes.BYTES, ORDER);
    s50.intoMemorySegment(ALL, to + 10 * Lanes.BYTES, ORDER);
    s51.intoMemorySegment(ALL, to + 11 * Lanes.BYTES, ORDER);
  }
}
