package dev.caravan.worker.collective;

import dev.caravan.worker.tensor.Activations;

/**
 * Hands the hidden states from each rank of a stage to the same rank of the next one. Confined to
 * the step thread.
 */
public interface StageLink {

  /**
   * Waits for the hidden states of the previous stage.
   *
   * @param x [rows, hiddenSize], overwritten
   * @throws dev.caravan.model.error.ClusterException WORKER_LOST if they do not come in time
   */
  void receive(long step, Activations x, int rows);

  /**
   * Sends the hidden states to the next stage.
   *
   * @param x [rows, hiddenSize], not changed
   * @throws dev.caravan.model.error.ClusterException WORKER_LOST if the next stage is gone
   */
  void send(long step, Activations x, int rows);

  /** Bytes sent since the start. */
  long bytesSent();
}
