package dev.caravan.worker.kernel.simd;

import static dev.caravan.worker.kernel.simd.Lanes.F;
import static dev.caravan.worker.kernel.simd.Lanes.I;

import dev.caravan.worker.tensor.Q4KLayout;
import dev.caravan.worker.tensor.Q6KLayout;
import dev.caravan.worker.tensor.WeightLayout;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Turns a block of 32 columns of a group into a panel of floats, [32 columns][16 rows], whose
 * integers the block's scales multiply later; and those scales and minima into [16 rows] floats.
 *
 * <p>All offsets are bytes. Methods write one vector of rows: the caller adds the first lane's
 * offset to both sides.
 */
final class Panels {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int LINE = WeightLayout.LINE_BYTES;

  private Panels() {}

  /** Nibbles (and no more): four lines of eight columns. */
  static void nibbles(MemorySegment w, long lines, int zero, MemorySegment panel, long to) {
    for (int line = 0; line < 4; line++) {
      IntVector v = IntVector.fromMemorySegment(I, w, lines + (long) line * LINE, ORDER);
      for (int j = 0; j < 8; j++) {
        store(v.and(15).sub(zero), panel, to + (line * 8L + j) * LINE);
        v = v.lanewise(VectorOperators.LSHR, 4);
      }
    }
  }

  /** Nibbles and a fifth bit. */
  static void fiveBits(MemorySegment w, long block, MemorySegment panel, long to) {
    IntVector high = IntVector.fromMemorySegment(I, w, block + Q4KLayout.NIBBLES_BYTES, ORDER);
    for (int line = 0; line < 4; line++) {
      IntVector v = IntVector.fromMemorySegment(I, w, block + (long) line * LINE, ORDER);
      for (int j = 0; j < 8; j++) {
        IntVector q = v.and(15).or(high.and(1).lanewise(VectorOperators.LSHL, 4));
        store(q, panel, to + (line * 8L + j) * LINE);
        v = v.lanewise(VectorOperators.LSHR, 4);
        high = high.lanewise(VectorOperators.LSHR, 1);
      }
    }
  }

  /** Nibbles and two high bits, offset 32. */
  static void sixBits(MemorySegment w, long block, MemorySegment panel, long to) {
    for (int line = 0; line < 4; line++) {
      IntVector v = IntVector.fromMemorySegment(I, w, block + (long) line * LINE, ORDER);
      long highLine = block + Q6KLayout.HIGH_OFFSET + (long) (line >> 1) * LINE;
      IntVector high =
          IntVector.fromMemorySegment(I, w, highLine, ORDER)
              .lanewise(VectorOperators.LSHR, 2 * (line & 1));
      for (int j = 0; j < 8; j++) {
        IntVector q = v.and(15).or(high.and(3).lanewise(VectorOperators.LSHL, 4)).sub(32);
        store(q, panel, to + (line * 8L + j) * LINE);
        v = v.lanewise(VectorOperators.LSHR, 4);
        high = high.lanewise(VectorOperators.LSHR, 4);
      }
    }
  }

  static void bytes(MemorySegment w, long lines, MemorySegment panel, long to) {
    for (int line = 0; line < 8; line++) {
      IntVector v = IntVector.fromMemorySegment(I, w, lines + (long) line * LINE, ORDER);
      for (int j = 0; j < 4; j++) {
        int up = 24 - 8 * j;
        IntVector q = v.lanewise(VectorOperators.LSHL, up).lanewise(VectorOperators.ASHR, 24);
        store(q, panel, to + (line * 4L + j) * LINE);
      }
    }
  }

  static void f16(MemorySegment w, long lines, MemorySegment panel, long to) {
    for (int line = 0; line < 16; line++) {
      IntVector v = IntVector.fromMemorySegment(I, w, lines + (long) line * LINE, ORDER);
      half(v.lanewise(VectorOperators.LSHL, 16)).intoMemorySegment(panel, to + line * 128L, ORDER);
      half(v).intoMemorySegment(panel, to + line * 128L + LINE, ORDER);
    }
  }

  static void bf16(MemorySegment w, long lines, MemorySegment panel, long to) {
    for (int line = 0; line < 16; line++) {
      IntVector v = IntVector.fromMemorySegment(I, w, lines + (long) line * LINE, ORDER);
      v.lanewise(VectorOperators.LSHL, 16).intoMemorySegment(panel, to + line * 128L, ORDER);
      v.and(0xffff0000).intoMemorySegment(panel, to + line * 128L + LINE, ORDER);
    }
  }

  static void f32(MemorySegment w, long lines, MemorySegment panel, long to) {
    for (int line = 0; line < 32; line++) {
      FloatVector.fromMemorySegment(F, w, lines + (long) line * LINE, ORDER)
          .intoMemorySegment(panel, to + (long) line * LINE, ORDER);
    }
  }

  /** A half float in the low (up = 16) or high (up = 0) half of each word. */
  static void halfScale(MemorySegment w, long words, int up, MemorySegment scales, long to) {
    IntVector v = IntVector.fromMemorySegment(I, w, words, ORDER);
    half(v.lanewise(VectorOperators.LSHL, up)).intoMemorySegment(scales, to, ORDER);
  }

  /**
   * A half float in half of each word, times a byte of another word.
   *
   * @param up 16 for the low half, 0 for the high half
   * @param byteUp shift that brings the byte to the top of its word
   * @param signed whether the byte is
   */
  static void productScale(
      MemorySegment w,
      long words,
      int up,
      long bytes,
      int byteUp,
      boolean signed,
      MemorySegment scales,
      long to) {
    IntVector v = IntVector.fromMemorySegment(I, w, words, ORDER);
    IntVector top =
        IntVector.fromMemorySegment(I, w, bytes, ORDER).lanewise(VectorOperators.LSHL, byteUp);
    IntVector factor =
        signed ? top.lanewise(VectorOperators.ASHR, 24) : top.lanewise(VectorOperators.LSHR, 24);
    half(v.lanewise(VectorOperators.LSHL, up))
        .mul((FloatVector) factor.convert(VectorOperators.I2F, 0))
        .intoMemorySegment(scales, to, ORDER);
  }

  private static void store(IntVector q, MemorySegment panel, long to) {
    ((FloatVector) q.convert(VectorOperators.I2F, 0)).intoMemorySegment(panel, to, ORDER);
  }

  private static FloatVector half(IntVector words) {
    return words
        .lanewise(VectorOperators.ASHR, 3)
        .and(Halves.MASK)
        .reinterpretAsFloats()
        .mul(Halves.SCALE);
  }
}
