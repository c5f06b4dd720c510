package dev.caravan.worker.kernel.simd;

import static dev.caravan.worker.kernel.simd.Lanes.F;
import static dev.caravan.worker.kernel.simd.Lanes.I;
import static dev.caravan.worker.kernel.simd.Memory.ADDRESS;
import static dev.caravan.worker.kernel.simd.Memory.ALL;

import dev.caravan.worker.tensor.Q4KLayout;
import dev.caravan.worker.tensor.WeightLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Turns a block of 32 columns of a group into a panel of floats, column by column, whose integers
 * the block's scales multiply later; and those scales and minima into floats.
 *
 * <p>All positions are addresses, see {@link Memory}. Methods write one vector of rows: the caller
 * adds the first lane's offset to both sides.
 */
final class Panels {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int LINE = WeightLayout.LINE_BYTES;

  /** Bytes from one column of a panel to the next. */
  private static final int COLUMN = PanelMatmul.UNIT_ROW_BYTES;

  private Panels() {}

  /** Nibbles (and no more): four lines of eight columns. */
  static void nibbles(long lines, int zero, long to) {
    for (int line = 0; line < 4; line++) {
      IntVector v =
          IntVector.fromMemorySegment(I, ALL, (lines + (long) line * LINE) & ADDRESS, ORDER);
      for (int j = 0; j < 8; j++) {
        store(v.and(15).sub(zero), to + (line * 8L + j) * COLUMN);
        v = v.lanewise(VectorOperators.LSHR, 4);
      }
    }
  }

  /** A block of Q5_K. */
  static void fiveBits(long block, long to) {
    IntVector last = IntVector.zero(I);
    for (int line = 0; line < 5; line++) {
      IntVector v =
          IntVector.fromMemorySegment(I, ALL, (block + (long) line * LINE) & ADDRESS, ORDER);
      for (int in = 0; in < 3; in++) {
        long low = to + (3L * line + in) * COLUMN;
        store(v.and(31), low);
        store(v.lanewise(VectorOperators.LSHR, 16).and(31), low + 16L * COLUMN);
        v = v.lanewise(VectorOperators.LSHR, 5);
      }
      // Bit 15 of each half is bit 0 now, and comes in from above: line 0 ends up lowest.
      last =
          last.lanewise(VectorOperators.LSHR, 1)
              .or(v.and(0x10001).lanewise(VectorOperators.LSHL, 4));
    }
    store(last.and(31), to + 15L * COLUMN);
    store(last.lanewise(VectorOperators.LSHR, 16).and(31), to + 31L * COLUMN);
  }

  /** A block of Q6_K. */
  static void sixBits(long block, long to) {
    for (int half = 0; half < 4; half++) {
      long lines = block + (half >> 1) * (3L * LINE);
      int down = 16 * (half & 1);
      long panel = to + half * (8L * COLUMN);
      IntVector high =
          IntVector.fromMemorySegment(I, ALL, (lines + 2 * LINE) & ADDRESS, ORDER)
              .lanewise(VectorOperators.LSHR, down);
      store(high.and(63).sub(32), panel + 6L * COLUMN);
      store(high.lanewise(VectorOperators.LSHR, 6).and(63).sub(32), panel + 7L * COLUMN);
      high = high.lanewise(VectorOperators.LSHR, 8);
      for (int line = 0; line < 2; line++) {
        IntVector v =
            IntVector.fromMemorySegment(I, ALL, (lines + (long) line * LINE) & ADDRESS, ORDER)
                .lanewise(VectorOperators.LSHR, down);
        long first = panel + line * (3L * COLUMN);
        store(v.and(63).sub(32), first);
        store(v.lanewise(VectorOperators.LSHR, 6).and(63).sub(32), first + COLUMN);
        IntVector low = v.lanewise(VectorOperators.LSHR, 12).and(15);
        store(low.or(high.and(0x30)).sub(32), first + 2L * COLUMN);
        high = high.lanewise(VectorOperators.LSHR, 2);
      }
    }
  }

  static void bytes(long lines, long to) {
    for (int line = 0; line < 8; line++) {
      IntVector v =
          IntVector.fromMemorySegment(I, ALL, (lines + (long) line * LINE) & ADDRESS, ORDER);
      for (int j = 0; j < 4; j++) {
        int up = 24 - 8 * j;
        IntVector q = v.lanewise(VectorOperators.LSHL, up).lanewise(VectorOperators.ASHR, 24);
        store(q, to + (line * 4L + j) * COLUMN);
      }
    }
  }

  static void f16(long lines, long to) {
    for (int line = 0; line < 16; line++) {
      IntVector v =
          IntVector.fromMemorySegment(I, ALL, (lines + (long) line * LINE) & ADDRESS, ORDER);
      half(v.lanewise(VectorOperators.LSHL, 16))
          .intoMemorySegment(ALL, (to + line * 2L * COLUMN) & ADDRESS, ORDER);
      half(v).intoMemorySegment(ALL, (to + (line * 2L + 1) * COLUMN) & ADDRESS, ORDER);
    }
  }

  static void bf16(long lines, long to) {
    for (int line = 0; line < 16; line++) {
      IntVector v =
          IntVector.fromMemorySegment(I, ALL, (lines + (long) line * LINE) & ADDRESS, ORDER);
      v.lanewise(VectorOperators.LSHL, 16)
          .intoMemorySegment(ALL, (to + line * 2L * COLUMN) & ADDRESS, ORDER);
      v.and(0xffff0000).intoMemorySegment(ALL, (to + (line * 2L + 1) * COLUMN) & ADDRESS, ORDER);
    }
  }

  static void f32(long lines, long to) {
    for (int line = 0; line < 32; line++) {
      FloatVector.fromMemorySegment(F, ALL, (lines + (long) line * LINE) & ADDRESS, ORDER)
          .intoMemorySegment(ALL, (to + (long) line * COLUMN) & ADDRESS, ORDER);
    }
  }

  /** A half float in the low (up = 16) or high (up = 0) half of each word. */
  static void halfScale(long words, int up, long to) {
    IntVector v = IntVector.fromMemorySegment(I, ALL, (words) & ADDRESS, ORDER);
    half(v.lanewise(VectorOperators.LSHL, up)).intoMemorySegment(ALL, (to) & ADDRESS, ORDER);
  }

  /**
   * Floats times a byte of other words.
   *
   * @param byteUp shift that brings the byte to the top of its word
   * @param signed whether the byte is
   */
  static void productScale(long floats, long bytes, int byteUp, boolean signed, long to) {
    IntVector top =
        IntVector.fromMemorySegment(I, ALL, bytes & ADDRESS, ORDER)
            .lanewise(VectorOperators.LSHL, byteUp);
    IntVector factor =
        signed ? top.lanewise(VectorOperators.ASHR, 24) : top.lanewise(VectorOperators.LSHR, 24);
    FloatVector.fromMemorySegment(F, ALL, floats & ADDRESS, ORDER)
        .mul((FloatVector) factor.convert(VectorOperators.I2F, 0))
        .intoMemorySegment(ALL, to & ADDRESS, ORDER);
  }

  /** Scales and minima of a block of Q4_K or Q5_K. */
  static void q4kScales(long tile, int blockInTile, long scale, long min) {
    long line = tile + Q4KLayout.SCALES_OFFSET + (long) (blockInTile >> 1) * LINE;
    int up = 24 - 16 * (blockInTile & 1);
    productScale(tile, line, up, false, scale);
    productScale(tile + Q4KLayout.MINS_OFFSET, line, up - 8, false, min);
  }

  private static void store(IntVector q, long to) {
    ((FloatVector) q.convert(VectorOperators.I2F, 0)).intoMemorySegment(ALL, (to) & ADDRESS, ORDER);
  }

  private static FloatVector half(IntVector words) {
    return words
        .lanewise(VectorOperators.ASHR, 3)
        .and(Halves.MASK)
        .reinterpretAsFloats()
        .mul(Halves.SCALE);
  }
}
