package dev.caravan.coordinator.generate;

import dev.caravan.coordinator.sample.SamplingParameters;
import dev.caravan.coordinator.sample.TokenConstraint;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;

/**
 * What to generate.
 *
 * @param prompt ids, the begin token included; at least one
 * @param maxTokens most output ids; 0 only scores the prompt
 * @param endIds ids that end the generation; empty to ignore them
 * @param topLogprobs so many of the likeliest tokens are reported with each token, 0 for the token
 *     alone; -1 reports no probabilities
 * @param promptLogprobs true: the prompt's tokens are reported too
 * @param constraint rules tokens out; its state belongs to this generation
 * @param timeout a generation that takes longer fails with DEADLINE_EXCEEDED, waiting included
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record EngineRequest(
    int[] prompt,
    int maxTokens,
    Set<Integer> endIds,
    SamplingParameters sampling,
    int topLogprobs,
    boolean promptLogprobs,
    Optional<TokenConstraint> constraint,
    Duration timeout) {

  /** No probabilities are reported. */
  public static final int NO_LOGPROBS = -1;

  public EngineRequest {
    prompt = prompt.clone();
    endIds = Set.copyOf(endIds);
  }
}
