package dev.caravan.coordinator.rpc;

import dev.caravan.coordinator.cluster.Member;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.shard.ShardPlan;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * The workers of one epoch, each with its shard. When one of them fails, the formation is at its
 * end: the next epoch has another.
 *
 * <p>Its steps are confined to the generation loop; all else is thread-safe.
 */
final class Formation {
  private static final long STREAM_END_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final int epoch;
  private final List<WorkerConnection> workers = new ArrayList<>();
  private final GrpcStepExecutor executor;

  /**
   * Connects to nobody yet.
   *
   * @param members in the plan's order
   */
  Formation(int epoch, List<Member> members, ShardPlan plan, int vocabSize, Duration stepDeadline) {
    this.epoch = epoch;
    this.executor = new GrpcStepExecutor(workers, vocabSize, stepDeadline);
    for (int i = 0; i < members.size(); i++) {
      workers.add(new WorkerConnection(members.get(i), plan.shards().get(i), executor::onFailure));
    }
  }

  int epoch() {
    return epoch;
  }

  /** In the plan's order. */
  List<WorkerConnection> workers() {
    return workers;
  }

  List<String> ids() {
    return workers.stream().map(worker -> worker.member().id()).toList();
  }

  GrpcStepExecutor executor() {
    return executor;
  }

  /** Completes with the reason once a worker is lost or reports an error. */
  CompletableFuture<ClusterException> failure() {
    return executor.failure();
  }

  /** Hears that a member was lost; those of other formations do not matter. */
  void onLoss(Member member, String reason) {
    executor.onLoss(member, reason);
  }

  /** Opens the streams of steps. */
  void open() {
    workers.forEach(WorkerConnection::open);
  }

  /** Starts to close in order. */
  void end() {
    workers.forEach(WorkerConnection::end);
  }

  /** Closes; waits a moment for the workers' goodbye. */
  void close() {
    end();
    long deadlineNanos = System.nanoTime() + STREAM_END_NANOS;
    workers.forEach(worker -> worker.close(deadlineNanos));
  }
}
