package dev.caravan.worker.kernel;

/**
 * How a block of activations becomes int8: x is rounded to the nearest multiple of its largest
 * magnitude / 127, ties to even.
 */
public final class QuantisedRange {
  /** Adding and subtracting it rounds to the nearest integer, ties to even. */
  public static final float ROUND = 12582912f;

  /** The bits of ROUND: what the bits of a sum exceed them by is the integer. */
  public static final int ROUND_BITS = 0x4b400000;

  private static final float LARGEST = 127f;

  /** Blocks below count as zero: 127 / amax would be infinite for the smallest numbers. */
  private static final float SMALLEST_AMAX = 0x1p-100f;

  private QuantisedRange() {}

  /** Returns what a block is multiplied by before rounding; 0 if all its integers are 0. */
  public static float inverse(float amax) {
    return amax <= Float.MAX_VALUE && amax >= SMALLEST_AMAX ? LARGEST / amax : 0f;
  }

  /** Returns what the integers are multiplied by; not a number if amax is not finite. */
  public static float scale(float amax) {
    if (!(amax <= Float.MAX_VALUE)) {
      return Float.NaN;
    }
    return amax >= SMALLEST_AMAX ? amax / LARGEST : 0f;
  }
}
