package dev.caravan.worker.kernel.simd;

import static dev.caravan.worker.kernel.simd.Memory.ADDRESS;
import static dev.caravan.worker.kernel.simd.Memory.ALL;

import dev.caravan.worker.kernel.QuantisedRange;
import dev.caravan.worker.tensor.MatmulInput;
import dev.caravan.worker.tensor.WeightLayout;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;

/**
 * Writes the factors that integer kernels multiply with, see {@link MatmulInput}, from integers in
 * f32. The layouts of the weights say in which order the fields lie that they belong to.
 *
 * <p>A field that follows one of n bits sees it 2^n times as large through the window of the field
 * before: each factor is the field's number minus 2^n times the number before it, modulo 2^16.
 *
 * <p>A number plus {@link QuantisedRange#ROUND} has the integer in its low 16 bits. Plain loops but
 * for nibbles: what one thread does for a row once weighs little.
 */
final class Factors {
  private static final int BLOCK_BYTES = WeightLayout.BLOCK_COLUMNS * Float.BYTES;
  private static final int LOW = 0xffff;
  private static final int NIBBLES = 1 << 4;
  private static final int FIVE_BITS = 1 << 5;
  private static final int SIX_BITS = 1 << 6;

  /** Where the numbers of the columns in the high halves of the words begin. */
  private static final int NIBBLES_HIGH = 4 * Float.BYTES;

  private static final int FIVE_BITS_HIGH = 16 * Float.BYTES;
  private static final int SIX_BITS_HIGH = 8 * Float.BYTES;

  /** Numbers of a group: those of the low halves of {@link #WORDS} words, then of the high. */
  private static final int GROUP = 8;

  private static final int WORDS = 4;

  /** So many groups at the end of a row leave no room for a vector. */
  private static final int LAST_GROUPS = Lanes.COUNT / WORDS - 1;

  private static final VectorShuffle<Integer> ONE_LANE_UP =
      VectorShuffle.fromOp(Lanes.I, lane -> Math.max(0, lane - 1));
  private static final IntVector NOT_THE_FIRST = IntVector.broadcast(Lanes.I, -1).withLane(0, 0);
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  private Factors() {}

  /**
   * Nibbles follow each other through a whole line: a group of numbers at a time, in the first four
   * lanes of vectors as wide as all others. The JDK's code must never see a second width: what it
   * would compile for two of them makes objects of vectors.
   */
  static void nibbles(MatmulInput out, int row) {
    long values = out.values().address() + row * out.rowBytes();
    long factors = out.nibbleFactors().address() + row * out.factorRowBytes();
    int groups = out.blocks() * (BLOCK_BYTES / Float.BYTES / GROUP);
    int group = 0;
    for (; group < groups - LAST_GROUPS; group++) {
      long x = (values + (long) group * GROUP * Float.BYTES) & ADDRESS;
      IntVector low = numbers(x);
      IntVector beforeHigh = numbers(x + NIBBLES_HIGH - Float.BYTES);
      IntVector high = numbers(x + NIBBLES_HIGH);
      IntVector beforeLow = low.rearrange(ONE_LANE_UP).and(NOT_THE_FIRST);
      IntVector a = low.sub(beforeLow.mul(NIBBLES));
      IntVector b = high.sub(beforeHigh.mul(NIBBLES));
      // The lanes behind the first four are overwritten by the next groups.
      a.and(LOW)
          .or(b.lanewise(VectorOperators.LSHL, 16))
          .intoMemorySegment(
              ALL, (factors + (long) group * WORDS * Integer.BYTES) & ADDRESS, ORDER);
    }
    for (; group < groups; group++) {
      long x = values + (long) group * GROUP * Float.BYTES;
      long to = (factors + (long) group * WORDS * Integer.BYTES) & ADDRESS;
      int before = number(x + NIBBLES_HIGH - Float.BYTES) << 16;
      for (int word = 0; word < WORDS; word++) {
        int next = pair(x + (long) word * Float.BYTES, NIBBLES_HIGH);
        put(to + (long) word * Integer.BYTES, difference(next, NIBBLES, before));
        before = next;
      }
    }
  }

  static void bytes(MatmulInput out, int row) {
    long values = out.values().address() + row * out.rowBytes();
    long factors = out.byteFactors().address() + row * out.factorRowBytes();
    for (int four = 0; four < out.blocks() * 8; four++) {
      long x = values + four * 16L;
      long to = (factors + four * 8L) & ADDRESS;
      put(to, pair(x, 8));
      put(to + 4, pair(x + 4, 8));
    }
  }

  static void fiveBits(MatmulInput out, int row) {
    for (int block = 0; block < out.blocks(); block++) {
      long x = out.values().address() + row * out.rowBytes() + (long) block * BLOCK_BYTES;
      long to = out.fiveBitFactors().address() + row * out.fieldRowBytes();
      to = (to + block * MatmulInput.FIELD_FACTORS_BYTES) & ADDRESS;
      int last = pair(x + 60, FIVE_BITS_HIGH);
      int sum = last;
      for (int line = 0; line < 5; line++) {
        int a = pair(x + 12L * line, FIVE_BITS_HIGH);
        int b = pair(x + 12L * line + 4, FIVE_BITS_HIGH);
        int c = pair(x + 12L * line + 8, FIVE_BITS_HIGH);
        put(to + 16L * line, a);
        put(to + 16L * line + 4, difference(b, FIVE_BITS, a));
        put(to + 16L * line + 8, difference(c, FIVE_BITS, b));
        put(to + 16L * line + 12, difference(times(last, 1 << line), FIVE_BITS, c));
        sum = plus(plus(sum, a), plus(b, c));
      }
      put(to + 80, times(sum, -FIVE_BITS / 2));
    }
  }

  static void sixBits(MatmulInput out, int row) {
    for (int half = 0; half < 2 * out.blocks(); half++) {
      long x = out.values().address() + row * out.rowBytes() + half * (BLOCK_BYTES / 2L);
      long to = out.sixBitFactors().address() + row * out.fieldRowBytes();
      to = (to + half * (MatmulInput.FIELD_FACTORS_BYTES / 2)) & ADDRESS;
      int sum = 0;
      for (int line = 0; line < 3; line++) {
        int a = pair(x + 12L * line, SIX_BITS_HIGH);
        int b = pair(x + 12L * line + 4, SIX_BITS_HIGH);
        put(to + 12L * line, a);
        put(to + 12L * line + 4, difference(b, SIX_BITS, a));
        sum = plus(sum, plus(a, b));
      }
      int x2 = pair(x + 8, SIX_BITS_HIGH);
      int x5 = pair(x + 20, SIX_BITS_HIGH);
      put(to + 8, difference(x2, SIX_BITS, pair(x + 4, SIX_BITS_HIGH)));
      put(to + 20, difference(x5, SIX_BITS, pair(x + 16, SIX_BITS_HIGH)));
      int x7 = pair(x + 28, SIX_BITS_HIGH);
      put(to + 32, difference(times(x2, 16), SIX_BITS, x7));
      put(to + 36, difference(times(x5, 16), SIX_BITS, x2));
      put(to + 40, times(plus(sum, plus(x2, x5)), -SIX_BITS / 2));
    }
  }

  /** Two numbers as the halves of a word. */
  private static int pair(long low, int high) {
    return number(low) & LOW | number(low + high) << 16;
  }

  /** Integers in the low 16 bits. */
  private static IntVector numbers(long at) {
    return FloatVector.fromMemorySegment(Lanes.F, ALL, at & ADDRESS, ORDER)
        .add(QuantisedRange.ROUND)
        .reinterpretAsInts();
  }

  private static int number(long at) {
    float value = ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, at & ADDRESS);
    return Float.floatToRawIntBits(value + QuantisedRange.ROUND);
  }

  /** In both halves: a - n * b. */
  private static int difference(int a, int n, int b) {
    int low = a - n * b;
    int high = (a >> 16) - n * (b >> 16);
    return low & LOW | high << 16;
  }

  private static int times(int a, int n) {
    return difference(0, -n, a);
  }

  private static int plus(int a, int b) {
    return difference(a, -1, b);
  }

  private static void put(long at, int factor) {
    ALL.set(ValueLayout.JAVA_INT_UNALIGNED, at, factor);
  }
}
