package dev.caravan.coordinator.rpc;

import dev.caravan.coordinator.cluster.AwakeClock;
import dev.caravan.coordinator.cluster.LocalWorkers;
import dev.caravan.coordinator.cluster.Member;
import dev.caravan.coordinator.cluster.Membership;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Waits until as many workers are members as there are shards. Confined to the thread that forms
 * the cluster.
 *
 * @param remote true if others start the workers
 * @param clock of the membership
 */
record Muster(Membership membership, LocalWorkers localWorkers, AwakeClock clock, boolean remote) {
  private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

  /**
   * Waits for workers.
   *
   * @param port on which the coordinator listens, for the message
   * @return all members, maybe more than expected
   * @throws ClusterException WORKER_LOST if a local one ends, MODEL_NOT_READY if they do not come
   *     in time
   */
  List<Member> await(int expected, int port, Duration deadline, LoadListener listener) {
    long start = clock.getAsLong();
    int told = -1;
    try {
      while (!membership.awaitMembers(expected, clock.getAsLong() + POLL_NANOS)) {
        int joined = membership.members().size();
        if (joined != told) {
          told = joined;
          listener.joined(joined, expected);
        }
        checkLocalWorkers();
        if (clock.getAsLong() - start > deadline.toNanos()) {
          throw new ClusterException(
              ErrorCode.MODEL_NOT_READY,
              "%d of %d workers joined within %d s; start the others with caravan worker --coordinator HOST:%d"
                  .formatted(joined, expected, deadline.toSeconds(), port));
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ClusterException(ErrorCode.CANCELLED, "interrupted while workers joined", e);
    }
    listener.joined(expected, expected);
    return membership.members();
  }

  private void checkLocalWorkers() {
    if (remote) {
      return;
    }
    localWorkers
        .deadWorker()
        .ifPresent(dead -> {
          throw new ClusterException(ErrorCode.WORKER_LOST, dead);
        });
  }
}
