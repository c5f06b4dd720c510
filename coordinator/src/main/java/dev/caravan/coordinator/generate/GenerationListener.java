package dev.caravan.coordinator.generate;

import dev.caravan.model.error.ClusterException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Hears one generation. Called on the engine's thread, in order: must return at once and must not
 * throw. After onEnd or onError nothing more is heard.
 */
public interface GenerationListener {

  /** Why a generation ended. */
  enum EndReason {
    /** An end id was generated (it is the last id that was heard), or onToken said to stop. */
    STOP,
    /** The wanted length or the end of the context was reached. */
    LENGTH,
    /** It was cancelled. */
    CANCELLED
  }

  /**
   * How a generation ended.
   *
   * @param promptTokens ids of the prompt
   * @param cachedTokens of them, those that the prefix cache held
   * @param outputTokens ids generated, an end id included
   */
  record End(EndReason reason, int promptTokens, int cachedTokens, int outputTokens) {}

  /**
   * Hears the prompt's probabilities, if asked for, before the first token: one for each id but the
   * first, which nothing predicts.
   */
  default void onPrompt(List<TokenLogprobs> prompt) {}

  /**
   * Hears an output id.
   *
   * @param logprobs null if none were asked for
   * @return true to go on, false to end the generation with STOP
   */
  boolean onToken(int id, @Nullable TokenLogprobs logprobs);

  /** The generation ended as it should. */
  void onEnd(End end);

  /** The generation failed. */
  void onError(ClusterException error);
}
