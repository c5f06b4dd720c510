package dev.caravan.model.step;

/**
 * Draws an id with the probabilities of a softmax: the largest sum of scaled logit and random
 * noise, {@code logit / temperature - log(-log(u))} (the Gumbel-max trick; Gumbel, 1954; Maddison
 * et al., 2014, arXiv:1411.0030). Reused; confined to one thread at a time.
 *
 * <p>The noise is a function of seed, position and id alone. So the drawn id depends neither on how
 * the vocabulary is split nor on who draws, and of several draws over parts of the vocabulary the
 * largest is the draw over all of it. All operations are exactly specified by Java: the same on
 * every machine.
 */
public final class GumbelDraw {
  /** SplitMix64 (Steele, Lea and Flood, 2014): the noise of a position is one of its streams. */
  private static final long GAMMA = 0x9E3779B97F4A7C15L;

  private static final int UNIFORM_BITS = 52;
  private static final double UNIFORM_UNIT = 0x1p-52;

  /** Less than log2(e), so that rounding never turns a doubtful id away. */
  private static final double SKIP_SCALE = 1.4426;

  private double temperature;
  private long stream;
  private int id;
  private float logit;
  private double best;

  /** Starts anew. */
  public void start(double drawTemperature, long seed, int position) {
    temperature = drawTemperature;
    stream = mix(seed + mix((position + 1L) * GAMMA));
    id = -1;
    logit = Float.NEGATIVE_INFINITY;
    best = Double.NEGATIVE_INFINITY;
  }

  /**
   * Offers an id, in any order.
   *
   * @param candidateLogit below plus infinity; minus infinity rules the id out
   */
  public void offer(float candidateLogit, int candidateId) {
    if (candidateLogit == Float.NEGATIVE_INFINITY) {
      return;
    }
    if (isHopeless(best - candidateLogit / temperature, bits(candidateId))) {
      return;
    }
    double value = value(candidateLogit, candidateId);
    if (value > best || (value == best && candidateId < id)) {
      best = value;
      id = candidateId;
      logit = candidateLogit;
    }
  }

  /** Scaled logit and noise: the largest is drawn. */
  double value(float candidateLogit, int candidateId) {
    double u = (bits(candidateId) + 0.5) * UNIFORM_UNIT;
    return candidateLogit / temperature - StrictMath.log(-StrictMath.log(u));
  }

  private long bits(int candidateId) {
    return mix(stream + candidateId * GAMMA) >>> (Long.SIZE - UNIFORM_BITS);
  }

  /** The id drawn; -1 if all were ruled out. */
  public int id() {
    return id;
  }

  /** The logit of the id drawn. */
  public float logit() {
    return logit;
  }

  /**
   * Spares nearly all ids two logarithms: noise over {@code missing} needs {@code 1 - u <= -log(u)
   * < exp(-missing) <= 2^-n}.
   */
  private static boolean isHopeless(double missing, long bits) {
    if (!(missing > 0)) {
      return false;
    }
    int n = (int) (missing * SKIP_SCALE);
    return n > UNIFORM_BITS || (1L << UNIFORM_BITS) - bits > 1L << (UNIFORM_BITS - n);
  }

  private static long mix(long value) {
    long z = (value ^ (value >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
