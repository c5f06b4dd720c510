package dev.caravan.coordinator.generate;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;

/** Tells requests that can never run. */
final class EngineRequests {
  /** Of the likeliest tokens with each token: as many as OpenAI's interface knows. */
  private static final int MAX_TOP_LOGPROBS = 20;

  private EngineRequests() {}

  /**
   * Checks a request against model and context.
   *
   * @throws ClusterException CONTEXT_TOO_LONG or INVALID_REQUEST with the numbers
   */
  static void check(EngineRequest request, EngineSettings settings) {
    int length = request.prompt().length;
    if (length > settings.contextLength()) {
      throw new ClusterException(
          ErrorCode.CONTEXT_TOO_LONG,
          "the prompt has %d tokens and the context holds %d; shorten the prompt or raise --ctx"
              .formatted(length, settings.contextLength()));
    }
    check(length > 0, "the prompt has no token; it needs one to continue from");
    check(
        request.maxTokens() >= 0, "max_tokens is %d, but has to be 0 or more", request.maxTokens());
    check(
        request.topLogprobs() >= EngineRequest.NO_LOGPROBS
            && request.topLogprobs() <= MAX_TOP_LOGPROBS,
        "top_logprobs is %d, but has to be 0..20",
        request.topLogprobs());
    for (int id : request.prompt()) {
      checkId("the prompt", id, settings);
    }
    for (int id : request.sampling().adjustments().logitBias().keySet()) {
      checkId("logit_bias", id, settings);
    }
  }

  private static void checkId(String where, int id, EngineSettings settings) {
    check(
        id >= 0 && id < settings.vocabSize(),
        "%s names token %d, but the vocabulary has %d",
        where,
        id,
        settings.vocabSize());
  }

  private static void check(boolean valid, String message, Object... arguments) {
    if (!valid) {
      throw new ClusterException(ErrorCode.INVALID_REQUEST, message.formatted(arguments));
    }
  }
}
