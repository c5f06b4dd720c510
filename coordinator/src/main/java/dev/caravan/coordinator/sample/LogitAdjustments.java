package dev.caravan.coordinator.sample;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.util.Map;

/**
 * What is added to the logits of single tokens, as OpenAI defines it, after the repetition penalty.
 *
 * @param presencePenalty subtracted from the logits of tokens that were generated
 * @param frequencyPenalty subtracted as many times as a token was generated
 * @param logitBias added to the logits of these ids
 */
public record LogitAdjustments(
    double presencePenalty, double frequencyPenalty, Map<Integer, Double> logitBias) {
  /** Leaves all logits as they are. */
  public static final LogitAdjustments NONE = new LogitAdjustments(0, 0, Map.of());

  private static final double MAX_PENALTY = 2;
  private static final double MAX_BIAS = 100;

  /**
   * Checks the ranges.
   *
   * @throws ClusterException INVALID_REQUEST that names the parameter, its value and its range
   */
  public LogitAdjustments {
    check("presence_penalty", presencePenalty, MAX_PENALTY);
    check("frequency_penalty", frequencyPenalty, MAX_PENALTY);
    logitBias = Map.copyOf(logitBias);
    logitBias.forEach((id, bias) -> check("logit_bias of token " + id, bias, MAX_BIAS));
  }

  boolean penalizes() {
    return presencePenalty != 0 || frequencyPenalty != 0;
  }

  /** Returns what is added to the logit of a token that was generated so many times. */
  double added(int id, int generated) {
    double penalty = generated == 0 ? 0 : presencePenalty + frequencyPenalty * generated;
    return logitBias.getOrDefault(id, 0.0) - penalty;
  }

  private static void check(String name, double value, double max) {
    if (!(Math.abs(value) <= max)) {
      throw new ClusterException(
          ErrorCode.INVALID_REQUEST,
          "%s is %s, but has to be %.0f..%.0f".formatted(name, value, -max, max));
    }
  }
}
