package dev.caravan.coordinator.cluster;

import dev.caravan.model.step.StepBatch;
import dev.caravan.model.step.StepResult;

/** Runs one forward step on all workers. Confined to the generation loop. */
public interface StepExecutor {

  /**
   * Runs a step and waits for all workers.
   *
   * @throws dev.caravan.model.error.ClusterException WORKER_LOST naming the worker, its address and
   *     the step if one is lost; DEADLINE_EXCEEDED if the step takes too long
   */
  StepResult execute(StepBatch batch);

  /**
   * Gets all logits of a row of the latest step, which answered less.
   *
   * @param batch of the latest step
   * @param row number among the rows of the batch that answer
   * @return [vocabSize]
   * @throws dev.caravan.model.error.ClusterException as execute
   */
  float[] recall(StepBatch batch, int row);
}
