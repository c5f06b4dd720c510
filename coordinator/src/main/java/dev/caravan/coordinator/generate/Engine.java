package dev.caravan.coordinator.generate;

import dev.caravan.model.error.ClusterException;

/**
 * Runs the generations of many callers together on one cluster. Thread-safe.
 *
 * <p>What a generation answers depends on its request and the plan alone: not on what else runs, on
 * preemption, nor on what a prefix cache holds.
 */
public interface Engine {

  /** A generation that was accepted. Thread-safe. */
  interface Handle {
    /** Ends the generation and frees its KV blocks within one step; does nothing once it ended. */
    void cancel();
  }

  /**
   * Queues a generation and returns at once; its listener hears the rest.
   *
   * @throws ClusterException OVERLOADED if the queue is full, MODEL_NOT_READY if the engine is
   *     draining, stopped or has lost a worker, CONTEXT_TOO_LONG or INVALID_REQUEST if the request
   *     can never run
   */
  Handle submit(EngineRequest request, GenerationListener listener);

  /** Returns what the engine does at the moment. */
  EngineStatus status();
}
