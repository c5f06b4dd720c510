package dev.caravan.coordinator.rpc;

import dev.caravan.coordinator.cluster.AwakeClock;
import dev.caravan.coordinator.cluster.LocalWorkers;
import dev.caravan.coordinator.cluster.Member;
import dev.caravan.coordinator.cluster.Membership;
import dev.caravan.coordinator.cluster.Placement;
import dev.caravan.coordinator.cluster.Recovery;
import dev.caravan.coordinator.cluster.StepExecutor;
import dev.caravan.model.checkpoint.Checkpoint;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.model.shard.ShardPlan;
import dev.caravan.model.step.StepBatch;
import dev.caravan.model.step.StepResult;
import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running cluster: its workers are members, hold their shards and wait for steps.
 *
 * <p>Constructed, then started once, then closed; close() ends local workers and is idempotent.
 * When a worker is lost, {@link #recover} forms the cluster anew, in the next epoch: those that
 * live keep their weights. Steps are confined to the generation loop, all else is thread-safe.
 */
public final class Cluster implements Recovery, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Cluster.class);

  private static final Duration LEASE = Duration.ofSeconds(8);
  private static final Duration LOCAL_JOIN_DEADLINE = Duration.ofSeconds(60);
  private static final Duration REMOTE_JOIN_DEADLINE = Duration.ofMinutes(10);
  private static final Duration FOR_EVER = Duration.ofDays(36_500);
  private static final Duration LOAD_DEADLINE = Duration.ofHours(2);
  private static final long FIRST_PAUSE_MILLIS = 500;
  private static final long LONGEST_PAUSE_MILLIS = 15_000;

  private final ClusterSettings settings;
  private final Checkpoint checkpoint;
  private final ShardPlan plan;
  private final AwakeClock clock = new AwakeClock(System::nanoTime);
  private final Membership membership = new Membership(LEASE, clock);
  private final CoordinatorServer server;
  private final LocalWorkers localWorkers;
  private final Muster muster;
  private volatile @Nullable Formation formation;
  private volatile List<WorkerMemory> memory = List.of();
  private volatile FailureListener failureListener = (epoch, error) -> {};
  private volatile @Nullable Thread recovering;
  private volatile boolean closed;
  private int epoch; // of the latest formation, confined to the thread that forms the cluster
  private boolean rehearsed; // confined to that thread, too

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
    this.muster = new Muster(membership, localWorkers, clock, settings.remote());
    membership.onLoss((member, reason) -> {
      Formation current = formation;
      if (current != null) {
        current.onLoss(member, reason);
      }
    });
  }

  /**
   * Waits for the workers and loads the model onto them.
   *
   * @throws ClusterException MODEL_NOT_READY if workers do not come, or what kept one from loading
   */
  public void start(LoadListener listener) {
    listen(listener);
    form(settings.remote() ? REMOTE_JOIN_DEADLINE : LOCAL_JOIN_DEADLINE, listener);
  }

  /**
   * As {@link #start}, but waits for workers from elsewhere without end, and begins again when one
   * of them is lost meanwhile.
   *
   * @throws ClusterException what kept a worker from loading and will do so again
   */
  public void startPatiently(LoadListener listener) {
    if (!settings.remote()) {
      start(listener);
      return;
    }
    listen(listener);
    formUntilItHolds(
        listener,
        error ->
            switch (error.code()) {
              case WORKER_LOST, DEADLINE_EXCEEDED, STALE_EPOCH -> true;
              default -> false;
            });
  }

  private void listen(LoadListener listener) {
    server.start();
    if (settings.remote()) {
      listener.waiting(settings.listen().getHostString() + ":" + server.port(), settings.workers());
    } else {
      localWorkers.start(settings.workers(), server.port());
    }
  }

  @Override
  public void onFailure(FailureListener listener) {
    failureListener = listener;
  }

  /**
   * {@inheritDoc}
   *
   * <p>Tries without end: whatever is wrong with a worker, another one may come for it.
   */
  @Override
  public CompletableFuture<Integer> recover() {
    CompletableFuture<Integer> recovered = new CompletableFuture<>();
    recovering =
        Thread.ofPlatform()
            .daemon()
            .name("recovery")
            .start(() -> {
              try {
                formUntilItHolds(LoadListener.NONE, error -> true);
                recovered.complete(epoch());
              } catch (RuntimeException e) {
                recovered.completeExceptionally(e);
              }
            });
    return recovered;
  }

  private void formUntilItHolds(LoadListener listener, Predicate<ClusterException> mayPass) {
    long pauseMillis = FIRST_PAUSE_MILLIS;
    while (true) {
      try {
        Set<String> members =
            membership.members().stream().map(Member::id).collect(Collectors.toSet());
        localWorkers.replaceAllBut(members);
        form(settings.remote() ? FOR_EVER : LOCAL_JOIN_DEADLINE, listener);
        return;
      } catch (ClusterException e) {
        if (closed || !mayPass.test(e)) {
          throw e;
        }
        LOG.warn("epoch={} did not come up, the next one is tried: {}", epoch, e.getMessage());
        pause(pauseMillis);
        pauseMillis = Math.min(2 * pauseMillis, LONGEST_PAUSE_MILLIS);
      }
    }
  }

  /** Forms the cluster of the next epoch. */
  private void form(Duration joinDeadline, LoadListener listener) {
    Formation before = formation;
    if (before != null) {
      before.close();
    }
    List<Member> members =
        Placement.of(
            before == null ? List.of() : before.ids(),
            settings.workers(),
            muster.await(settings.workers(), server.port(), joinDeadline, listener));
    epoch = Math.max(epoch, membership.latestEpoch()) + 1;
    Formation next =
        new Formation(
            epoch,
            members,
            plan,
            checkpoint.config().vocabSize(),
            Duration.ofMillis(2L * settings.runtime().stepDeadlineMillis()));
    formation = next;
    members.stream()
        .filter(member -> !isUp(member)) // Lost before the formation could hear of it.
        .forEach(member -> next.onLoss(member, "it left while the cluster was formed"));
    try {
      memory = new ShardDeployment(settings, checkpoint, next).load(LOAD_DEADLINE, listener);
      next.open();
      rehearse(next, listener);
    } catch (ClusterException e) {
      throw withLastWords(e);
    }
    next.failure().thenAccept(error -> failureListener.failed(next.epoch(), error));
  }

  /**
   * Makes the way of a step fast, where an answer takes longer than this does; not after a
   * recovery: a cluster that answers slowly for a while is better than none.
   */
  private void rehearse(Formation next, LoadListener listener) {
    boolean worthIt =
        memory.stream()
            .anyMatch(worker -> settings.runtime().isWorthRehearsing(worker.weightBytes()));
    if (worthIt && !rehearsed) {
      listener.rehearsing();
      GrpcStepExecutor executor = next.executor();
      int steps =
          new Rehearsal(
                  batch -> executor.echo(batch) + ownJitMillis(),
                  executor::execute,
                  settings.runtime(),
                  checkpoint.config().vocabSize(),
                  System::nanoTime)
              .run(next.epoch());
      LOG.info("epoch={} rehearsed with {} steps", next.epoch(), steps);
      rehearsed = true;
    }
  }

  private static long ownJitMillis() {
    CompilationMXBean jit = ManagementFactory.getCompilationMXBean();
    return jit == null ? 0 : jit.getTotalCompilationTime();
  }

  private static void pause(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ClusterException(ErrorCode.CANCELLED, "interrupted while the cluster came back", e);
    }
  }

  /** Runs steps on the workers; what it throws for a local worker has that one's last words. */
  public StepExecutor executor() {
    return new StepExecutor() {
      @Override
      public StepResult execute(StepBatch batch) {
        try {
          return current().executor().execute(batch);
        } catch (ClusterException e) {
          throw withLastWords(e);
        }
      }

      @Override
      public float[] recall(StepBatch batch, int row) {
        try {
          return current().executor().recall(batch, row);
        } catch (ClusterException e) {
          throw withLastWords(e);
        }
      }
    };
  }

  /** Incarnation of the cluster: steps of any other one are refused. */
  public int epoch() {
    return current().epoch();
  }

  private Formation current() {
    Formation current = formation;
    if (current == null) {
      throw new IllegalStateException("the cluster was not started");
    }
    return current;
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

  /** Whether a worker has not been lost. */
  public boolean isUp(Member member) {
    return membership.members().contains(member);
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
    closed = true;
    Thread recovery = recovering;
    if (recovery != null) {
      recovery.interrupt();
    }
    Formation current = formation;
    if (current != null) {
      current.end();
      if (current.failure().isDone()) {
        // Survivors wait for the lost one inside a step and would not hear a goodbye.
        localWorkers.end();
      }
      current.close();
    }
    server.close();
    localWorkers.close();
  }
}
