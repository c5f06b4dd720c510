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
}
