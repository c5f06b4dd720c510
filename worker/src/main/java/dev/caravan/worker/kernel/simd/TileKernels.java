package dev.caravan.worker.kernel.simd;

import static dev.caravan.worker.kernel.simd.Lanes.F;
import static dev.caravan.worker.kernel.simd.Lanes.I;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * The innermost loops of {@link PanelMatmul}: a panel [columns][16 rows] times activation rows.
 *
 * <p>Offsets are bytes. Methods are flat and take many arguments because the compiler boxes vectors
 * that cross a call it does not inline, and small because it stops inlining in large ones.
 */
final class TileKernels {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int LINE = 64;

  private TileKernels() {}

  /**
   * Six rows of a tile [columns][6 rows]: twelve sums, two weight vectors and a broadcast fill
   * sixteen registers. One base offset for all six keeps the bounds checks out of the loop.
   */
  static void sixRows(
      MemorySegment scratch,
      long p0,
      long p1,
      MemorySegment tiles,
      long x,
      int columns,
      long sums) {
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
      FloatVector w0 = FloatVector.fromMemorySegment(F, scratch, p0 + (long) k * LINE, ORDER);
      FloatVector w1 = FloatVector.fromMemorySegment(F, scratch, p1 + (long) k * LINE, ORDER);
      long at = x + k * 24L;
      FloatVector b0 = broadcast(tiles, at + 0);
      s00 = w0.fma(b0, s00);
      s01 = w1.fma(b0, s01);
      FloatVector b1 = broadcast(tiles, at + 4);
      s10 = w0.fma(b1, s10);
      s11 = w1.fma(b1, s11);
      FloatVector b2 = broadcast(tiles, at + 8);
      s20 = w0.fma(b2, s20);
      s21 = w1.fma(b2, s21);
      FloatVector b3 = broadcast(tiles, at + 12);
      s30 = w0.fma(b3, s30);
      s31 = w1.fma(b3, s31);
      FloatVector b4 = broadcast(tiles, at + 16);
      s40 = w0.fma(b4, s40);
      s41 = w1.fma(b4, s41);
      FloatVector b5 = broadcast(tiles, at + 20);
      s50 = w0.fma(b5, s50);
      s51 = w1.fma(b5, s51);
    }
    s00.intoMemorySegment(scratch, sums + 0 * Lanes.BYTES, ORDER);
    s01.intoMemorySegment(scratch, sums + 1 * Lanes.BYTES, ORDER);
    s10.intoMemorySegment(scratch, sums + 2 * Lanes.BYTES, ORDER);
    s11.intoMemorySegment(scratch, sums + 3 * Lanes.BYTES, ORDER);
    s20.intoMemorySegment(scratch, sums + 4 * Lanes.BYTES, ORDER);
    s21.intoMemorySegment(scratch, sums + 5 * Lanes.BYTES, ORDER);
    s30.intoMemorySegment(scratch, sums + 6 * Lanes.BYTES, ORDER);
    s31.intoMemorySegment(scratch, sums + 7 * Lanes.BYTES, ORDER);
    s40.intoMemorySegment(scratch, sums + 8 * Lanes.BYTES, ORDER);
    s41.intoMemorySegment(scratch, sums + 9 * Lanes.BYTES, ORDER);
    s50.intoMemorySegment(scratch, sums + 10 * Lanes.BYTES, ORDER);
    s51.intoMemorySegment(scratch, sums + 11 * Lanes.BYTES, ORDER);
  }

  static void oneRow(
      MemorySegment scratch, long p0, long p1, MemorySegment x, long x0, int columns, long sums) {
    FloatVector s0 = FloatVector.zero(F);
    FloatVector s1 = FloatVector.zero(F);
    for (int k = 0; k < columns; k++) {
      FloatVector b = FloatVector.broadcast(F, x.get(ValueLayout.JAVA_FLOAT, x0 + 4L * k));
      s0 = FloatVector.fromMemorySegment(F, scratch, p0 + (long) k * LINE, ORDER).fma(b, s0);
      s1 = FloatVector.fromMemorySegment(F, scratch, p1 + (long) k * LINE, ORDER).fma(b, s1);
    }
    s0.intoMemorySegment(scratch, sums, ORDER);
    s1.intoMemorySegment(scratch, sums + Lanes.BYTES, ORDER);
  }

  /**
   * Scales the sums of some rows and adds them to the results.
   *
   * @param sums two vectors a row
   * @param c0 scales of the first vector, c1 of the second
   * @param x activation scales at {@code at}, {@code step} from row to row
   * @param a0 results of the first vector, a1 of the second, {@code next} from row to row
   */
  static void flush(
      MemorySegment scratch,
      long sums,
      long c0,
      long c1,
      MemorySegment x,
      long at,
      long step,
      int rows,
      long a0,
      long a1,
      long next) {
    FloatVector scale0 = FloatVector.fromMemorySegment(F, scratch, c0, ORDER);
    FloatVector scale1 = FloatVector.fromMemorySegment(F, scratch, c1, ORDER);
    for (int i = 0; i < rows; i++) {
      long from = sums + i * (2L * Lanes.BYTES);
      long to0 = a0 + i * next;
      long to1 = a1 + i * next;
      FloatVector t0 = FloatVector.fromMemorySegment(F, scratch, from, ORDER).mul(scale0);
      FloatVector t1 =
          FloatVector.fromMemorySegment(F, scratch, from + Lanes.BYTES, ORDER).mul(scale1);
      FloatVector dx = broadcast(x, at + i * step);
      dx.fma(t0, FloatVector.fromMemorySegment(F, scratch, to0, ORDER))
          .intoMemorySegment(scratch, to0, ORDER);
      dx.fma(t1, FloatVector.fromMemorySegment(F, scratch, to1, ORDER))
          .intoMemorySegment(scratch, to1, ORDER);
    }
  }

  /** As the other, less the minima ({@code mins} after the scales) times the sums of x. */
  static void flush(
      MemorySegment scratch,
      long sums,
      long c0,
      long c1,
      long mins,
      MemorySegment x,
      MemorySegment sumsOfX,
      long at,
      long step,
      int rows,
      long a0,
      long a1,
      long next) {
    FloatVector scale0 = FloatVector.fromMemorySegment(F, scratch, c0, ORDER);
    FloatVector scale1 = FloatVector.fromMemorySegment(F, scratch, c1, ORDER);
    FloatVector min0 = FloatVector.fromMemorySegment(F, scratch, c0 + mins, ORDER).neg();
    FloatVector min1 = FloatVector.fromMemorySegment(F, scratch, c1 + mins, ORDER).neg();
    for (int i = 0; i < rows; i++) {
      long from = sums + i * (2L * Lanes.BYTES);
      long to0 = a0 + i * next;
      long to1 = a1 + i * next;
      FloatVector sum = broadcast(sumsOfX, at + i * step);
      FloatVector t0 = FloatVector.fromMemorySegment(F, scratch, from, ORDER).mul(scale0);
      FloatVector t1 =
          FloatVector.fromMemorySegment(F, scratch, from + Lanes.BYTES, ORDER).mul(scale1);
      t0 = min0.fma(sum, t0);
      t1 = min1.fma(sum, t1);
      FloatVector dx = broadcast(x, at + i * step);
      dx.fma(t0, FloatVector.fromMemorySegment(F, scratch, to0, ORDER))
          .intoMemorySegment(scratch, to0, ORDER);
      dx.fma(t1, FloatVector.fromMemorySegment(F, scratch, to1, ORDER))
          .intoMemorySegment(scratch, to1, ORDER);
    }
  }

  /** An int broadcast compiles to one load; a float one does not. */
  private static FloatVector broadcast(MemorySegment x, long offset) {
    return IntVector.broadcast(I, x.get(ValueLayout.JAVA_INT, offset)).reinterpretAsFloats();
  }
}
