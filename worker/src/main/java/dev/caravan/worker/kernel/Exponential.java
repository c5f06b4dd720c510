package dev.caravan.worker.kernel;

/**
 * e to the power of x in f32, within 2 ulp; the operations that every kernel performs, so that all
 * return the same bits.
 *
 * <p>x = n * ln 2 + r with |r| at most ln(2) / 2; a polynomial for e^r with the coefficients of
 * Cephes' expf (Moshier, 1992); then two exact multiplications by powers of two, which reach the
 * subnormal numbers and infinity.
 */
public final class Exponential {
  /** Below: 0. */
  public static final float MIN_X = -104f;

  /** Above: infinity. */
  public static final float MAX_X = 89f;

  public static final float LOG2_E = 1.44269504088896341f;

  /** Adding it rounds to an integer, which is then in the low bits. */
  public static final float ROUND = 12582912f;

  public static final int ROUND_BITS = 0x4b400000;
  public static final float MINUS_LN2_HIGH = -0.693359375f;
  public static final float MINUS_LN2_LOW = 2.12194440e-4f;
  public static final float C6 = 1.9875691500e-4f;
  public static final float C5 = 1.3981999507e-3f;
  public static final float C4 = 8.3334519073e-3f;
  public static final float C3 = 4.1665795894e-2f;
  public static final float C2 = 1.6666665459e-1f;
  public static final float C1 = 5.0000001201e-1f;
  public static final int EXPONENT_BIAS = 127;
  public static final int MANTISSA_BITS = 23;

  private Exponential() {}

  public static float exp(float x) {
    float c = Math.max(MIN_X, Math.min(MAX_X, x));
    float rounded = Math.fma(c, LOG2_E, ROUND);
    int n = Float.floatToRawIntBits(rounded) - ROUND_BITS;
    float whole = rounded - ROUND;
    float r = Math.fma(whole, MINUS_LN2_LOW, Math.fma(whole, MINUS_LN2_HIGH, c));
    float p = Math.fma(C6, r, C5);
    p = Math.fma(p, r, C4);
    p = Math.fma(p, r, C3);
    p = Math.fma(p, r, C2);
    p = Math.fma(p, r, C1);
    p = Math.fma(p, r * r, r) + 1f;
    int half = n >> 1;
    return p * powerOfTwo(half) * powerOfTwo(n - half);
  }

  private static float powerOfTwo(int exponent) {
    return Float.intBitsToFloat((exponent + EXPONENT_BIAS) << MANTISSA_BITS);
  }
}
