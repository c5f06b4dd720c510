package dev.caravan.coordinator.generate;

import dev.caravan.model.step.RuntimeSettings;

/**
 * What an engine runs on, and its bounds.
 *
 * @param runtime of the cluster: token budget of a step, KV blocks, context
 * @param vocabSize of the model
 * @param maxRunning most generations at once; fewer if a step has not a row for each
 * @param maxWaiting most generations that wait for one of those places
 */
public record EngineSettings(
    RuntimeSettings runtime, int vocabSize, int maxRunning, int maxWaiting) {

  public EngineSettings {
    if (maxRunning < 1 || maxWaiting < 0) {
      throw new IllegalArgumentException(
          "%d running and %d waiting generations; at least 1 and 0"
              .formatted(maxRunning, maxWaiting));
    }
    maxRunning =
        Math.min(maxRunning, Math.min(runtime.maxBatchRows(), runtime.maxLogitsRows(vocabSize)));
  }

  /** Most positions of one generation: what context and KV blocks hold. */
  public int contextLength() {
    long cached = (long) runtime.kvBlocks() * RuntimeSettings.BLOCK_POSITIONS;
    return (int) Math.min(runtime.contextLength(), cached);
  }
}
