package dev.caravan.worker.collective;

import dev.caravan.worker.tensor.Activations;

/**
 * Sums over the tensor-parallel ranks of one stage. Confined to the step thread.
 *
 * <p>A sum is started and later finished; in between it moves only when {@link #progress} is
 * called. All ranks start the same sums in the same order.
 */
public interface Collective {
  /** Sums that may be started and not yet finished. */
  int MAX_IN_FLIGHT = 2;

  int rank();

  /** Ranks that take part, this one included. */
  int size();

  /**
   * Starts to replace x by its sum over all ranks, added in rank order, so that every rank ends
   * with the same bits. Never waits, and fails only in {@link #finish}. What another step has left
   * in flight is given up.
   *
   * @param step of the batch
   * @param op which all-reduce of the step; the same on all ranks, increasing inside a step
   * @param x [rows, columns] partial sums of this rank, not to be touched until it is finished
   * @throws IllegalStateException if {@value #MAX_IN_FLIGHT} are in flight
   */
  void start(long step, int op, Activations x, int rows);

  /**
   * Waits until the oldest sum in flight is there: its x then holds it.
   *
   * @throws IllegalStateException if none is in flight
   * @throws dev.caravan.model.error.ClusterException WORKER_LOST with the peer's rank and address,
   *     the step and the operation if a peer has broken its stream, or lets this rank wait for
   *     longer than the step deadline; nothing is in flight then
   */
  void finish();

  /** Moves what is in flight as far as it goes without waiting. A failure is kept for finish. */
  void progress();

  /** Starts a sum and waits for it; see {@link #start} and {@link #finish}. */
  default void allReduceSum(long step, int op, Activations x, int rows) {
    start(step, op, x, rows);
    finish();
  }

  /** Bytes sent to other ranks since the start. */
  long bytesSent();
}
