package dev.caravan.coordinator.cluster;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.util.concurrent.CompletableFuture;

/** A cluster that may fail and come back in a later epoch. Thread-safe. */
public interface Recovery {
  /** A cluster that does not come back. */
  Recovery NONE =
      new Recovery() {
        @Override
        public void onFailure(FailureListener listener) {}

        @Override
        public CompletableFuture<Integer> recover() {
          return CompletableFuture.failedFuture(
              new ClusterException(ErrorCode.WORKER_LOST, "nothing brings this cluster back"));
        }
      };

  /** Hears that a cluster can run no step any more. */
  interface FailureListener {
    /**
     * Called on the thread that noticed; returns at once.
     *
     * @param epoch that failed
     */
    void failed(int epoch, ClusterException error);
  }

  /** Sets the one who hears of failures, also of those between two steps. */
  void onFailure(FailureListener listener);

  /**
   * Begins to bring a failed cluster back. Not called again before the future is completed.
   *
   * @return completes with the new epoch, when steps can run; with a ClusterException if they never
   *     will
   */
  CompletableFuture<Integer> recover();
}
