package dev.caravan.worker.collective;

import dev.caravan.worker.tensor.Activations;

/** Sums over the tensor-parallel ranks of one stage. Confined to the step thread. */
public interface Collective {

  int rank();

  /** Ranks that take part, this one included. */
  int size();

  /**
   * Replaces x by its sum over all ranks, added in rank order, so that every rank ends with the
   * same bits.
   *
   * @param step of the batch
   * @param op which all-reduce of the step; the same on all ranks, increasing inside a step
   * @param x [rows, columns] partial sums of this rank; the sums on return
   * @throws dev.caravan.model.error.ClusterException WORKER_LOST with the peer's rank and address,
   *     the step and the operation if a peer breaks its stream or misses the step deadline
   */
  void allReduceSum(long step, int op, Activations x, int rows);

  /** Bytes sent to other ranks since the start. */
  long bytesSent();
}
