package dev.caravan.model.step;

/**
 * The order of candidates, as a long each: larger logits first, equal ones by the lower id. A logit
 * that is not a number comes before all others, so that it is never lost.
 */
public final class LogitOrder {
  private LogitOrder() {}

  /** Larger keys come first. */
  public static long key(float logit, int id) {
    // Adding zero makes -0 and 0 equal.
    int bits = Float.floatToIntBits(logit + 0f);
    int ordered = bits ^ (bits >> 31 & Integer.MAX_VALUE);
    return (long) ordered << 32 | (~id & 0xFFFFFFFFL);
  }

  public static int id(long key) {
    return ~(int) key;
  }

  /** Returns the logit; a zero without its sign. */
  public static float logit(long key) {
    int ordered = (int) (key >> 32);
    return Float.intBitsToFloat(ordered ^ (ordered >> 31 & Integer.MAX_VALUE));
  }
}
