package dev.caravan.coordinator.rpc;

import dev.caravan.coordinator.cluster.AwakeClock;
import dev.caravan.coordinator.cluster.LocalWorkers;
import dev.caravan.coordinator.cluster.Member;
import dev.caravan.coordinator.cluster.Membership;
import dev.caravan.coordinator.cluster.StepExecutor;
import dev.caravan.model.checkpoint.Checkpoint;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.model.shard.ShardPlan;
import dev.caravan.model.step.StepBatch;
import dev.caravan.model.step.StepResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * A running cluster: its workers are members, hold their shards and wait for steps.
 *
 * <p>Constructed, then start()ed once, then closed; close() ends local workers and is idempotent.
 */
public final class Cluster implements AutoCloseable {
  /** Incarnation of the cluster; a cluster that lost a worker is not revived yet. */
  public static final int EPOCH = 1;

  private static final Duration LEASE = Duration.ofSeconds(8);
  private static final Duration LOCAL_JOIN_DEADLINE = Duration.ofSeconds(60);
  private static final Duration REMOTE_JOIN_DEADLINE = Duration.ofMinutes(10);
  private static final Duration LOAD_DEADLINE = Duration.ofHours(2);
  private static final long STREAM_END_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

  private final ClusterSettings settings;
  private final Checkpoint checkpoint;
  private final ShardPlan plan;
  private final AwakeClock clock = new AwakeClock(System::nanoTime);
  private final Membership membership = new Membership(LEASE, clock);
  private final CoordinatorServer server;
  private final LocalWorkers localWorkers;
  private final List<WorkerConnection> connections = new ArrayList<>();
  private final GrpcStepExecutor executor;
  private List<WorkerMemory> memory = List.of();

  /**
   * What one worker's shard takes.
   *
   * @param weightBytes packed weights
   * @param kvBytes the whole KV cache when it is full
   */
  public record WorkerMemory(Member member, long weightBytes, long kvBytes) {}

  public Cluster(ClusterSettings settings, Checkpoint checkpoint, ShardPlan plan) {
    this.settings = settings;
    this.checkpoint = checkpoint;
    this.plan = plan;
    this.server = new CoordinatorServer(settings.listen(), membership);
    this.localWorkers = new LocalWorkers(settings.workerCommand(), settings.echoWorkers());
    this.executor =
        new GrpcStepExecutor(
            connections,
            checkpoint.config().vocabSize(),
            Duration.ofMillis(2L * settings.runtime().stepDeadlineMillis()));
  }

  /**
   * Waits for the workers and loads the model onto them.
   *
   * @throws ClusterException MODEL_NOT_READY if workers do not come, or what kept one from loading
   */
  public void start(LoadListener listener) {
    server.start();
    if (settings.remote()) {
      listener.waiting(settings.listen().getHostString() + ":" + server.port(), settings.workers());
    } else {
      localWorkers.start(settings.workers(), server.port());
    }
    awaitMembers(listener);
    List<Member> members = new ArrayList<>(membership.members());
    if (!settings.remote()) {
      members.sort(Comparator.comparingInt(Cluster::localIndex));
    }
    for (int i = 0; i < settings.workers(); i++) {
      connections.add(
          new WorkerConnection(members.get(i), plan.shards().get(i), executor::onFailure));
    }
    membership.onLoss(executor::onLoss);
    try {
      new ShardDeployment(settings, checkpoint, connections).load(LOAD_DEADLINE, listener, this);
    } catch (ClusterException e) {
      throw withLastWords(e);
    }
    connections.forEach(WorkerConnection::open);
  }

  /** Runs steps on the workers; what it throws for a local worker has that one's last words. */
  public StepExecutor executor() {
    return new StepExecutor() {
      @Override
      public StepResult execute(StepBatch batch) {
        try {
          return executor.execute(batch);
        } catch (ClusterException e) {
          throw withLastWords(e);
        }
      }

      @Override
      public float[] recall(StepBatch batch, int row) {
        try {
          return executor.recall(batch, row);
        } catch (ClusterException e) {
          throw withLastWords(e);
        }
      }
    };
  }

  public ShardPlan plan() {
    return plan;
  }

  /** Port on which the coordinator waits for workers. */
  public int port() {
    return server.port();
  }

  /** What each worker's shard takes, in the plan's order. */
  public List<WorkerMemory> memory() {
    return memory;
  }

  /** Whether a worker has not been lost; may be asked from any thread. */
  public boolean isUp(Member member) {
    return membership.members().contains(member);
  }

  void loaded(List<WorkerMemory> workerMemory) {
    memory = List.copyOf(workerMemory);
  }

  /** Completes exceptionally if a worker is lost while the model is loaded. */
  CompletableFuture<Void> loss() {
    CompletableFuture<Void> loss = new CompletableFuture<>();
    membership.onLoss((member, reason) ->
        loss.completeExceptionally(
            new ClusterException(
                ErrorCode.WORKER_LOST,
                "%s was lost while it loaded its shard: %s".formatted(member.describe(), reason))));
    return loss;
  }

  private ClusterException withLastWords(ClusterException e) {
    if (e.code() != ErrorCode.WORKER_LOST) {
      return e;
    }
    return localWorkers
        .dyingWorker()
        .map(dead -> new ClusterException(e.code(), e.getMessage() + "; " + dead, e))
        .orElse(e);
  }

  @Override
  public void close() {
    connections.forEach(WorkerConnection::end);
    if (executor.hasFailed()) {
      // Survivors wait for the lost one inside a step and would not hear a goodbye.
      localWorkers.end();
    }
    long deadlineNanos = System.nanoTime() + STREAM_END_NANOS;
    connections.forEach(connection -> connection.close(deadlineNanos));
    connections.clear();
    server.close();
    localWorkers.close();
  }

  private void awaitMembers(LoadListener listener) {
    Duration deadline = settings.remote() ? REMOTE_JOIN_DEADLINE : LOCAL_JOIN_DEADLINE;
    long end = clock.getAsLong() + deadline.toNanos();
    int expected = settings.workers();
    try {
      while (!membership.awaitMembers(expected, Math.min(end, clock.getAsLong() + POLL_NANOS))) {
        int joined = membership.members().size();
        listener.joined(joined, expected);
        localWorkers
            .deadWorker()
            .ifPresent(dead -> {
              throw new ClusterException(ErrorCode.WORKER_LOST, dead);
            });
        if (clock.getAsLong() > end) {
          throw new ClusterException(
              ErrorCode.MODEL_NOT_READY,
              "%d of %d workers joined within %d s; start the others with caravan worker --coordinator HOST:%d"
                  .formatted(joined, expected, deadline.toSeconds(), server.port()));
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ClusterException(ErrorCode.CANCELLED, "interrupted while workers joined", e);
    }
    listener.joined(expected, expected);
  }

  private static int localIndex(Member member) {
    return Integer.parseInt(member.id().substring(member.id().lastIndexOf('-') + 1));
  }
}
