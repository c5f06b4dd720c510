package dev.caravan.coordinator.sample;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;

/**
 * How the next token is chosen; the defaults of each filter switch it off.
 *
 * @param temperature divides the logits; 0 takes the largest logit and ignores all but penalties
 *     and biases
 * @param topK keeps so many of the likeliest tokens; 0 = all
 * @param topP keeps the likeliest tokens that together reach this probability; 1 = all
 * @param minP keeps tokens with at least this share of the likeliest one's probability; 0 = all
 * @param repetitionPenalty divides positive and multiplies negative logits of tokens that occurred;
 *     1 = none
 * @param seed of the random numbers: same seed, same logits, same tokens
 * @param adjustments of single tokens' logits
 */
public record SamplingParameters(
    double temperature,
    int topK,
    double topP,
    double minP,
    double repetitionPenalty,
    long seed,
    LogitAdjustments adjustments) {

  private static final double MAX_TEMPERATURE = 100;
  private static final double MAX_PENALTY = 100;

  /**
   * Checks the ranges.
   *
   * @throws ClusterException INVALID_REQUEST that names the parameter, its value and its range
   */
  public SamplingParameters {
    check("temperature", temperature >= 0 && temperature <= MAX_TEMPERATURE, temperature, "0..100");
    check("top_k", topK >= 0, topK, "0 (off) or more");
    check("top_p", topP > 0 && topP <= 1, topP, "over 0 and up to 1 (off)");
    check("min_p", minP >= 0 && minP <= 1, minP, "0 (off) to 1");
    check(
        "repetition_penalty",
        repetitionPenalty > 0 && repetitionPenalty <= MAX_PENALTY,
        repetitionPenalty,
        "over 0 and up to 100; 1 is off");
  }

  /** Without adjustments of single tokens. */
  public SamplingParameters(
      double temperature, int topK, double topP, double minP, double repetitionPenalty, long seed) {
    this(temperature, topK, topP, minP, repetitionPenalty, seed, LogitAdjustments.NONE);
  }

  /** Takes the largest logit, always. */
  public static SamplingParameters greedy() {
    return new SamplingParameters(0, 0, 1, 0, 1, 0);
  }

  /** Returns true if it has to be known what part of the whole distribution a token has. */
  boolean needsMass() {
    return temperature > 0 && topK == 0 && topP < 1;
  }

  /** Returns the same parameters with other adjustments. */
  public SamplingParameters with(LogitAdjustments others) {
    return new SamplingParameters(temperature, topK, topP, minP, repetitionPenalty, seed, others);
  }

  /** Returns the logit of a token that occurred, after the repetition penalty. */
  float penalized(float logit) {
    float penalty = (float) repetitionPenalty;
    return logit < 0 ? logit * penalty : logit / penalty;
  }

  private static void check(String name, boolean valid, Number value, String range) {
    if (!valid) {
      throw new ClusterException(
          ErrorCode.INVALID_REQUEST, "%s is %s, but has to be %s".formatted(name, value, range));
    }
  }
}
