package dev.caravan.worker.kernel.simd;

import dev.caravan.worker.tensor.MatmulInput;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Writes the factors for weights of five and six bits, see {@link MatmulInput}; the layouts of the
 * weights say in which order the fields lie that they belong to.
 *
 * <p>A field that follows one of n bits sees it 2^n times as large through the window of the field
 * before: each factor is the field's number minus 2^n times the number before it.
 */
final class FieldFactors {
  private static final int FIVE_BITS = 1 << 5;
  private static final int SIX_BITS = 1 << 6;

  /** Where the numbers of the columns in the high halves of the words begin. */
  private static final int FIVE_BITS_HIGH = 16 * Float.BYTES;

  private static final int SIX_BITS_HIGH = 8 * Float.BYTES;

  private FieldFactors() {}

  static void fiveBits(MatmulInput out, int row) {
    MemorySegment v = out.values();
    MemorySegment factors = out.fiveBitFactors();
    for (int block = 0; block < out.blocks(); block++) {
      long x = row * out.rowBytes() + block * 128L;
      long to = row * out.fieldRowBytes() + block * MatmulInput.FIELD_FACTORS_BYTES;
      int last = pair(v, x + 60, FIVE_BITS_HIGH);
      int sum = last;
      for (int line = 0; line < 5; line++) {
        int a = pair(v, x + 12L * line, FIVE_BITS_HIGH);
        int b = pair(v, x + 12L * line + 4, FIVE_BITS_HIGH);
        int c = pair(v, x + 12L * line + 8, FIVE_BITS_HIGH);
        put(factors, to + 16L * line, a);
        put(factors, to + 16L * line + 4, difference(b, FIVE_BITS, a));
        put(factors, to + 16L * line + 8, difference(c, FIVE_BITS, b));
        int bit = times(last, 1 << line);
        put(factors, to + 16L * line + 12, difference(bit, FIVE_BITS, c));
        sum = difference(sum, -1, a);
        sum = difference(sum, -1, b);
        sum = difference(sum, -1, c);
      }
      put(factors, to + 80, times(sum, -FIVE_BITS / 2));
    }
  }

  static void sixBits(MatmulInput out, int row) {
    MemorySegment v = out.values();
    MemorySegment factors = out.sixBitFactors();
    for (int half = 0; half < 2 * out.blocks(); half++) {
      long x = row * out.rowBytes() + half * 64L;
      long to = row * out.fieldRowBytes() + half * (MatmulInput.FIELD_FACTORS_BYTES / 2);
      int sum = 0;
      for (int line = 0; line < 3; line++) {
        int a = pair(v, x + 12L * line, SIX_BITS_HIGH);
        int b = pair(v, x + 12L * line + 4, SIX_BITS_HIGH);
        put(factors, to + 12L * line, a);
        put(factors, to + 12L * line + 4, difference(b, SIX_BITS, a));
        sum = difference(sum, -1, a);
        sum = difference(sum, -1, b);
      }
      int x2 = pair(v, x + 8, SIX_BITS_HIGH);
      int x5 = pair(v, x + 20, SIX_BITS_HIGH);
      put(factors, to + 8, difference(x2, SIX_BITS, pair(v, x + 4, SIX_BITS_HIGH)));
      put(factors, to + 20, difference(x5, SIX_BITS, pair(v, x + 16, SIX_BITS_HIGH)));
      int x7 = pair(v, x + 28, SIX_BITS_HIGH);
      put(factors, to + 32, difference(times(x2, 16), SIX_BITS, x7));
      put(factors, to + 36, difference(times(x5, 16), SIX_BITS, x2));
      sum = difference(difference(sum, -1, x2), -1, x5);
      put(factors, to + 40, times(sum, -SIX_BITS / 2));
    }
  }

  /** Two numbers as the halves of an int. */
  private static int pair(MemorySegment values, long low, int high) {
    int a = (int) values.get(ValueLayout.JAVA_FLOAT, low);
    int b = (int) values.get(ValueLayout.JAVA_FLOAT, low + high);
    return a & 0xffff | b << 16;
  }

  /** In both halves, modulo 2^16: a - n * b. */
  private static int difference(int a, int n, int b) {
    int low = a - n * b;
    int high = (a >> 16) - n * (b >> 16);
    return low & 0xffff | high << 16;
  }

  private static int times(int a, int n) {
    return difference(0, -n, a);
  }

  private static void put(MemorySegment factors, long at, int factor) {
    factors.set(ValueLayout.JAVA_INT, at, factor);
  }
}
