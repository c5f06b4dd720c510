package dev.caravan.worker.kernel.simd;

import static dev.caravan.worker.kernel.simd.Lanes.F;
import static dev.caravan.worker.kernel.simd.Lanes.I;
import static dev.caravan.worker.kernel.simd.Memory.ADDRESS;
import static dev.caravan.worker.kernel.simd.Memory.ALL;

import dev.caravan.worker.tensor.Q4KLayout;
import dev.caravan.worker.tensor.Q6KLayout;
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

  /** Nibbles and a fifth bit. */
  static void fiveBits(long block, long to) {
    IntVector high =
        IntVector.fromMemorySegment(I, ALL, (block + Q4KLayout.NIBBLES_BYTES) & ADDRESS, ORDER);
    for (int line = 0; line < 4; line++) {
      IntVector v =
          IntVector.fromMemorySegment(I, ALL, (block + (long) line * LINE) & ADDRESS, ORDER);
      for (int j = 0; j < 8; j++) {
        IntVector q = v.and(15).or(high.and(1).lanewise(VectorOperators.LSHL, 4));
        store(q, to + (line * 8L + j) * COLUMN);
        v = v.lanewise(VectorOperators.LSHR, 4);
        high = high.lanewise(VectorOperators.LSHR, 1);
      }
    }
  }

  /** Nibbles and two high bits, offset 32. */
  static void sixBits(long block, long to) {
    for (int line = 0; line < 4; line++) {
      IntVector v =
          IntVector.fromMemorySegment(I, ALL, (block + (long) line * LINE) & ADDRESS, ORDER);
      long highLine = block + Q6KLayout.HIGH_OFFSET + (long) (line >> 1) * LINE;
      IntVector high =
          IntVector.fromMemorySegment(I, ALL, (highLine) & ADDRESS, ORDER)
              .lanewise(VectorOperators.LSHR, 2 * (line & 1));
      for (int j = 0; j < 8; j++) {
        IntVector q = v.and(15).or(high.and(3).lanewise(VectorOperators.LSHL, 4)).sub(32);
        store(q, to + (line * 8L + j) * COLUMN);
        v = v.lanewise(VectorOperators.LSHR, 4);
        high = high.lanewise(VectorOperators.LSHR, 4);
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
   * A half float in half of each word, times a byte of another word.
   *
   * @param up 16 for the low half, 0 for the high half
   * @param byteUp shift that brings the byte to the top of its word
   * @param signed whether the byte is
   */
  static void productScale(long words, int up, long bytes, int byteUp, boolean signed, long to) {
    IntVector v = IntVector.fromMemorySegment(I, ALL, (words) & ADDRESS, ORDER);
    IntVector top =
        IntVector.fromMemorySegment(I, ALL, (bytes) & ADDRESS, ORDER)
            .lanewise(VectorOperators.LSHL, byteUp);
    IntVector factor =
        signed ? top.lanewise(VectorOperators.ASHR, 24) : top.lanewise(VectorOperators.LSHR, 24);
    half(v.lanewise(VectorOperators.LSHL, up))
        .mul((FloatVector) factor.convert(VectorOperators.I2F, 0))
        .intoMemorySegment(ALL, (to) & ADDRESS, ORDER);
  }

  /** Scales and minima of a block of Q4_K or Q5_K. */
  static void q4kScales(long tile, int blockInTile, long scale, long min) {
    long line = tile + Q4KLayout.SCALES_OFFSET + (long) (blockInTile >> 1) * LINE;
    int up = 24 - 16 * (blockInTile & 1);
    productScale(tile, 16, line, up, false, scale);
    productScale(tile, 0, line, up - 8, false, min);
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
