package dev.caravan.model.step;

/**
 * What a softmax divides by, in a form that ranks can add without overflow: {@code sum over ids of
 * exp((logit - max) / temperature)}. Its logarithm plus max / temperature is the log-sum-exp.
 *
 * <p>A sum depends on its order in the last bits only: whoever decides by it allows for {@link
 * #RELATIVE_ERROR}.
 *
 * @param max largest logit; minus infinity if there is none
 * @param sum relative to max; at least 1 unless there is no finite logit
 */
public record LogitMass(float max, double sum) {
  /** No logits, or not asked for. */
  public static final LogitMass NONE = new LogitMass(Float.NEGATIVE_INFINITY, 0);

  /** Far more than exp and a sum over any vocabulary lose in double precision. */
  public static final double RELATIVE_ERROR = 1e-9;

  /**
   * Sums over all logits.
   *
   * @param logits not NaN
   * @param temperature over 0
   */
  public static LogitMass of(float[] logits, double temperature) {
    float max = Float.NEGATIVE_INFINITY;
    for (float logit : logits) {
      max = Math.max(max, logit);
    }
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(((double) logit - max) / temperature);
    }
    return new LogitMass(max, sum);
  }

  /** Returns the log-sum-exp of a mass at temperature 1. */
  public double logSum() {
    return max + Math.log(sum);
  }

  /** Adds another part of the same distribution. */
  public LogitMass plus(LogitMass other, double temperature) {
    float larger = Math.max(max, other.max);
    return new LogitMass(
        larger, relativeTo(larger, temperature) + other.relativeTo(larger, temperature));
  }

  /** Returns the sum relative to another logit than the maximum. */
  public double relativeTo(double logit, double temperature) {
    return sum == 0 ? 0 : sum * Math.exp((max - logit) / temperature);
  }
}
