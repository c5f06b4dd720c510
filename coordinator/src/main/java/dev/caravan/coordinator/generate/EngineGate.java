package dev.caravan.coordinator.generate;

import dev.caravan.coordinator.generate.EngineStatus.State;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

/**
 * Where callers and the engine's thread meet: the bounded queue of new generations, the engine's
 * state and its latest status. Thread-safe.
 */
final class EngineGate {
  private final int maxRunning;
  private final int maxWaiting;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  // Guarded by lock.
  private final List<EngineTask> inbox = new ArrayList<>();
  private State state = State.STOPPED;
  private EngineStatus latest;

  /**
   * @param status without any generation
   */
  EngineGate(EngineSettings settings, EngineStatus status) {
    this.maxRunning = settings.maxRunning();
    this.maxWaiting = settings.maxWaiting();
    this.latest = status.withState(state);
  }

  /**
   * Queues a generation.
   *
   * @param onQueued called once it is known that there is room for it
   * @param trouble why nothing is taken while the cluster is brought back
   * @throws ClusterException OVERLOADED or MODEL_NOT_READY
   */
  void add(EngineTask task, Runnable onQueued, String trouble) {
    lock.lock();
    try {
      checkTakesRequests(trouble);
      onQueued.run();
      inbox.add(task);
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void checkTakesRequests(String trouble) {
    if (state != State.SERVING) {
      throw new ClusterException(
          ErrorCode.MODEL_NOT_READY,
          switch (state) {
            case DRAINING -> "the server ends: it only finishes what it runs; ask another one";
            case RECOVERING ->
                "the cluster is being brought back (%s); try again later".formatted(trouble);
            case DEGRADED -> "the engine failed: nothing runs until the server is started again";
            case STOPPED, SERVING -> "the server does not run; try again later";
          });
    }
    // Those who find a free place do not wait; but where someone waits, no place is free for them.
    int places = latest.waiting() == 0 ? maxRunning - latest.running() : 0;
    int waiting = latest.waiting() + inbox.size();
    if (waiting >= maxWaiting + places) {
      throw new ClusterException(
          ErrorCode.OVERLOADED,
          "%d generations run and %d wait, which is the most; try again later"
              .formatted(latest.running(), waiting));
    }
  }

  EngineStatus status() {
    lock.lock();
    try {
      return latest.withQueued(inbox.size());
    } finally {
      lock.unlock();
    }
  }

  State state() {
    lock.lock();
    try {
      return state;
    } finally {
      lock.unlock();
    }
  }

  /** Changes the state, if it is one of those; returns whether it was. */
  boolean change(List<State> from, State to) {
    lock.lock();
    try {
      if (!from.contains(state)) {
        return false;
      }
      state = to;
      latest = latest.withState(to);
      changed.signalAll();
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** Has the engine's thread look again at what it waits for. */
  void wake() {
    lock.lock();
    try {
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Tells everybody what the engine does now. */
  void publish(EngineStatus status) {
    lock.lock();
    try {
      latest = status.withState(state);
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until there are new generations, there is another reason to go on, the engine is stopped,
   * or the limit has passed. Then moves the new ones over and lets begin what has room: for callers
   * that is one moment, so that nobody is refused for those who wait no more.
   *
   * @param reason looked at whenever something has changed
   */
  void await(BooleanSupplier reason, Duration limit, RunningBatch batch) {
    lock.lock();
    try {
      long nanos = limit.toNanos();
      while (nanos > 0 && state != State.STOPPED && inbox.isEmpty() && !reason.getAsBoolean()) {
        nanos = changed.awaitNanos(nanos);
      }
      moveTo(batch);
      batch.begin();
      latest = batch.status(state);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      state = State.STOPPED;
    } finally {
      lock.unlock();
    }
  }

  /** Moves new generations to those that the engine has taken. */
  void moveTo(RunningBatch batch) {
    lock.lock();
    try {
      inbox.forEach(batch::add);
      inbox.clear();
      latest = batch.status(state);
    } finally {
      lock.unlock();
    }
  }

  /** Waits until nothing runs and nothing waits; returns false after the limit. */
  boolean awaitIdle(Duration limit) {
    lock.lock();
    try {
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
}
