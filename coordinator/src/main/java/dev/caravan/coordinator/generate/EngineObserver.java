package dev.caravan.coordinator.generate;

import dev.caravan.coordinator.generate.GenerationListener.EndReason;
import dev.caravan.model.error.ErrorCode;

/**
 * Hears what an engine does, for metrics. Called on the engine's thread (onQueued and onRefused on
 * the caller's): must return at once and must not throw.
 */
public interface EngineObserver {
  /** Hears nothing. */
  EngineObserver NONE = new EngineObserver() {};

  /**
   * What a generation was, once it ended.
   *
   * @param firstTokenNanos from submission to its first token; 0 if it has none
   * @param nanos from submission to its end
   * @param promptTokens ids of its prompt
   * @param cachedTokens of them, those that the prefix cache held
   * @param outputTokens ids generated
   */
  record Totals(
      long firstTokenNanos, long nanos, int promptTokens, int cachedTokens, int outputTokens) {}

  /** A generation was queued. */
  default void onQueued() {}

  /** A generation was refused. */
  default void onRefused(ErrorCode code) {}

  /** A generation begins to run for the first time. */
  default void onStarted(long nanosSinceSubmit) {}

  /** A generation has its first token. */
  default void onFirstToken(long nanosSinceSubmit) {}

  /** A generation has another token. */
  default void onNextToken(long nanosSincePrevious) {}

  /** A generation gave its blocks back and will be computed again. */
  default void onPreempted() {}

  /** A generation ended as it should, or was cancelled. */
  default void onEnd(EndReason reason, Totals totals) {}

  /** A generation failed. */
  default void onFailed(ErrorCode code, Totals totals) {}

  /** A step was run. */
  default void onStep(StepReport step) {}
}
