package dev.caravan.coordinator.generate;

import dev.caravan.coordinator.cluster.StepExecutor;
import dev.caravan.coordinator.generate.EngineStatus.State;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The engine on a cluster: one thread runs the steps, callers leave their requests in a bounded
 * queue. Without work the thread sleeps. Thread-safe; does not own the cluster.
 *
 * <p>From start() it is SERVING. drain() makes it DRAINING, a failed step DEGRADED, close() STOPPED
 * for good.
 */
public final class ClusterEngine implements Engine, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ClusterEngine.class);

  private final EngineSettings settings;
  private final EngineObserver observer;
  private final RunningBatch batch;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  // Guarded by lock.
  private final List<EngineTask> inbox = new ArrayList<>();
  private State state = State.STOPPED;
  private EngineStatus latest;
  private @Nullable Thread thread;

  /**
   * @param executor used by nobody else
   */
  public ClusterEngine(StepExecutor executor, EngineSettings settings, EngineObserver observer) {
    this(executor, settings, observer, System::nanoTime);
  }

  ClusterEngine(
      StepExecutor executor,
      EngineSettings settings,
      EngineObserver observer,
      LongSupplier nanoClock) {
    this.settings = settings;
    this.observer = new GuardedObserver(observer);
    this.batch = new RunningBatch(executor, settings, this.observer, nanoClock);
    this.latest = batch.status(state);
  }

  /** Starts the engine's thread; once. */
  public void start() {
    lock.lock();
    try {
      if (thread != null) {
        throw new IllegalStateException("the engine was started before");
      }
      setState(State.SERVING);
      thread = Thread.ofPlatform().name("engine").daemon().start(this::run);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public Handle submit(EngineRequest request, GenerationListener listener) {
    try {
      EngineRequests.check(request, settings);
      EngineTask task = batch.newTask(request, listener);
      lock.lock();
      try {
        checkTakesRequests();
        observer.onQueued();
        inbox.add(task);
        changed.signalAll();
      } finally {
        lock.unlock();
      }
      return task;
    } catch (ClusterException e) {
      observer.onRefused(e.code());
      throw e;
    }
  }

  private void checkTakesRequests() {
    if (state != State.SERVING) {
      throw new ClusterException(
          ErrorCode.MODEL_NOT_READY,
          switch (state) {
            case DRAINING -> "the server ends: it only finishes what it runs; ask another one";
            case DEGRADED ->
                "a step failed or a worker was lost: nothing runs until the server is started again";
            case STOPPED, SERVING -> "the server does not run; try again later";
          });
    }
    // Those who find a free place do not wait; but where someone waits, no place is free for them.
    int places = latest.waiting() == 0 ? settings.maxRunning() - latest.running() : 0;
    int waiting = latest.waiting() + inbox.size();
    if (waiting >= settings.maxWaiting() + places) {
      throw new ClusterException(
          ErrorCode.OVERLOADED,
          "%d generations run and %d wait, which is the most; try again later"
              .formatted(latest.running(), waiting));
    }
  }

  @Override
  public EngineStatus status() {
    lock.lock();
    try {
      return latest.withQueued(inbox.size());
    } finally {
      lock.unlock();
    }
  }

  /**
   * Refuses new requests and waits until all that were accepted have ended.
   *
   * @return false if some still run after the limit, or the wait was interrupted
   */
  public boolean drain(Duration limit) {
    lock.lock();
    try {
      if (state == State.SERVING) {
        setState(State.DRAINING);
      }
      long nanos = TimeUnit.NANOSECONDS.convert(limit);
      while (latest.running() + latest.waiting() + inbox.size() > 0) {
        if (nanos <= 0) {
          return false;
        }
        nanos = changed.awaitNanos(nanos);
      }
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } finally {
      lock.unlock();
    }
  }

  /** Stops after the current step; what has not ended fails with MODEL_NOT_READY. */
  @Override
  public void close() {
    Thread running;
    lock.lock();
    try {
      setState(State.STOPPED);
      running = thread;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
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
      runSteps();
    } finally { // even an Error, which ends the thread, leaves nobody waiting
      lock.lock();
      try {
        setState(State.STOPPED);
        takeInbox();
      } finally {
        lock.unlock();
      }
      batch.fail(new ClusterException(ErrorCode.MODEL_NOT_READY, "the server has ended"));
      publish();
    }
  }

  private void runSteps() {
    while (true) {
      try {
        batch.endStale();
        if (!takeRequests()) {
          return;
        }
        batch.step();
      } catch (ClusterException e) {
        degrade(e);
      } catch (RuntimeException e) {
        LOG.error("the engine failed by a defect", e);
        degrade(new ClusterException(ErrorCode.INTERNAL, "the engine failed by a defect", e));
      }
      publish();
    }
  }

  /** Called with the lock held. */
  private void takeInbox() {
    inbox.forEach(batch::add);
    inbox.clear();
  }

  /** Waits for work and lets it begin; returns false once the engine is stopped. */
  private boolean takeRequests() {
    publish();
    lock.lock();
    try {
      while (state != State.STOPPED && inbox.isEmpty() && batch.isEmpty()) {
        changed.awaitUninterruptibly();
      }
      takeInbox();
      batch.begin();
      latest = batch.status(state);
      return state != State.STOPPED;
    } finally {
      lock.unlock();
    }
  }

  private void degrade(ClusterException error) {
    lock.lock();
    try {
      if (state != State.STOPPED) {
        setState(State.DEGRADED);
      }
      takeInbox();
    } finally {
      lock.unlock();
    }
    LOG.error("generations={} the cluster failed: {}", batch.size(), error.getMessage());
    batch.fail(error);
  }

  private void publish() {
    lock.lock();
    try {
      latest = batch.status(state);
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void setState(State next) {
    state = next;
    latest = latest.withState(next);
  }
}
