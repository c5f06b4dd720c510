package dev.caravan.coordinator.generate;

import dev.caravan.coordinator.cluster.Recovery;
import dev.caravan.coordinator.cluster.StepExecutor;
import dev.caravan.coordinator.generate.EngineStatus.State;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The engine on a cluster: one thread runs the steps, callers leave their requests in a bounded
 * queue. Without work the thread sleeps. Thread-safe; does not own the cluster.
 *
 * <p>From start() it is SERVING; while a failed cluster is brought back RECOVERING, then SERVING
 * again: what it had accepted goes on with the very same tokens. drain() makes it DRAINING, a
 * cluster that does not come back DEGRADED, close() STOPPED for good.
 */
public final class ClusterEngine implements Engine, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ClusterEngine.class);

  private static final List<State> TAKES_REQUESTS = List.of(State.SERVING, State.RECOVERING);
  private static final List<State> STARTED =
      List.copyOf(EnumSet.complementOf(EnumSet.of(State.STOPPED)));

  /** While generations wait for a cluster, their timeouts and cancels are looked at this often. */
  private static final Duration OUTAGE_POLL = Duration.ofMillis(100);

  private static final Duration IDLE_POLL = Duration.ofSeconds(10);

  private final EngineSettings settings;
  private final EngineObserver observer;
  private final RunningBatch batch;
  private final ClusterWatch cluster;
  private final EngineGate gate;
  private volatile @Nullable Thread thread;

  /**
   * @param executor used by nobody else
   * @param cluster that the steps run on
   */
  public ClusterEngine(
      StepExecutor executor, Recovery cluster, EngineSettings settings, EngineObserver observer) {
    this(executor, cluster, settings, observer, System::nanoTime);
  }

  ClusterEngine(
      StepExecutor executor,
      Recovery cluster,
      EngineSettings settings,
      EngineObserver observer,
      LongSupplier nanoClock) {
    this.settings = settings;
    this.observer = new GuardedObserver(observer);
    this.batch = new RunningBatch(executor, settings, this.observer, nanoClock);
    this.gate = new EngineGate(settings, batch.status(State.STOPPED));
    this.cluster = new ClusterWatch(cluster, gate::wake, nanoClock);
  }

  /**
   * Starts the engine's thread; once.
   *
   * @param epoch of the cluster
   */
  public void start(int epoch) {
    if (thread != null) {
      throw new IllegalStateException("the engine was started before");
    }
    batch.enterEpoch(epoch);
    cluster.start(epoch);
    gate.change(List.of(State.STOPPED), State.SERVING);
    thread = Thread.ofPlatform().name("engine").daemon().start(this::run);
  }

  @Override
  public Handle submit(EngineRequest request, GenerationListener listener) {
    try {
      EngineRequests.check(request, settings);
      EngineTask task = batch.newTask(request, listener);
      gate.add(task, observer::onQueued, cluster.reason());
      return task;
    } catch (ClusterException e) {
      observer.onRefused(e.code());
      throw e;
    }
  }

  @Override
  public EngineStatus status() {
    return gate.status();
  }

  /**
   * Refuses new requests and waits until all that were accepted have ended.
   *
   * @return false if some still run after the limit, or the wait was interrupted
   */
  public boolean drain(Duration limit) {
    gate.change(TAKES_REQUESTS, State.DRAINING);
    return gate.awaitIdle(limit);
  }

  /** Stops after the current step; what has not ended fails with MODEL_NOT_READY. */
  @Override
  public void close() {
    gate.change(STARTED, State.STOPPED);
    Thread running = thread;
    if (running == null || running == Thread.currentThread()) {
      return;
    }
    Duration limit = Duration.ofMillis(settings.runtime().stepDeadlineMillis());
    try {
      if (!running.join(limit)) {
        LOG.warn("the engine's last step takes longer than {} ms", limit.toMillis());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void run() {
    try {
      while (gate.state() != State.STOPPED) {
        try {
          batch.endStale();
          gate.publish(batch.status(gate.state()));
          iterate();
        } catch (ClusterException e) {
          recover(e);
        } catch (RuntimeException e) {
          LOG.error("the engine failed by a defect", e);
          degrade(new ClusterException(ErrorCode.INTERNAL, "the engine failed by a defect", e));
        }
        gate.publish(batch.status(gate.state()));
      }
    } finally { // even an Error, which ends the thread, leaves nobody waiting
      gate.change(STARTED, State.STOPPED);
      gate.moveTo(batch);
      batch.fail(new ClusterException(ErrorCode.MODEL_NOT_READY, "the server has ended"));
      gate.publish(batch.status(State.STOPPED));
    }
  }

  private void iterate() {
    if (gate.state() == State.DEGRADED) {
      gate.await(() -> gate.state() != State.DEGRADED, IDLE_POLL, batch);
    } else if (cluster.isDown()) {
      awaitCluster();
    } else {
      gate.await(() -> !batch.isEmpty() || cluster.newFailure() != null, IDLE_POLL, batch);
      checkCluster();
      if (gate.state() != State.STOPPED) {
        batch.step();
      }
    }
  }

  /** A cluster that fails between two steps is known to have failed, without a step. */
  private void checkCluster() {
    ClusterException failure = cluster.newFailure();
    if (failure != null) {
      throw failure;
    }
  }

  private void recover(ClusterException error) {
    int generations = batch.size();
    batch.restart(error);
    cluster.recover(error);
    gate.change(List.of(State.SERVING), State.RECOVERING);
    // Who reads this in the log finds the new state in the API.
    gate.publish(batch.status(gate.state()));
    LOG.error("generations={} the cluster failed: {}", generations, error.getMessage());
  }

  private void awaitCluster() {
    gate.await(cluster::isDecided, OUTAGE_POLL, batch);
    try {
      OptionalInt epoch = cluster.poll();
      if (epoch.isPresent()) {
        batch.recover(epoch.getAsInt());
        gate.change(List.of(State.RECOVERING), State.SERVING);
        gate.publish(batch.status(gate.state()));
        LOG.info("epoch={} generations={} the cluster is back", epoch.getAsInt(), batch.size());
      }
    } catch (ClusterException e) {
      degrade(e);
      return;
    }
    ClusterException lost = cluster.lostPatience();
    if (lost != null) {
      batch.fail(lost);
    }
  }

  private void degrade(ClusterException error) {
    gate.change(STARTED, State.DEGRADED);
    gate.moveTo(batch);
    LOG.error("generations={} nothing runs any more: {}", batch.size(), error.getMessage());
    batch.fail(error);
  }
}
