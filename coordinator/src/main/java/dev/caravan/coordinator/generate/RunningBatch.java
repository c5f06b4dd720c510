package dev.caravan.coordinator.generate;

import dev.caravan.coordinator.cluster.StepExecutor;
import dev.caravan.coordinator.schedule.BlockAllocator;
import dev.caravan.coordinator.schedule.Scheduler;
import dev.caravan.coordinator.schedule.Sequence;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.step.RuntimeSettings;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.function.LongSupplier;

/** The generations that an engine has taken, waiting or running. Confined to its thread. */
final class RunningBatch {
  private static final int NO_EPOCH = 0;

  private final Scheduler scheduler;
  private final GenerationLoop loop;
  private final EngineObserver observer;
  private final LongSupplier nanoClock;
  private final int contextLength;
  private final List<EngineTask> tasks = new ArrayList<>();
  private long preemptionsHeard;
  private long endedPromptTokens;
  private long endedOutputTokens;
  private long recoveries;
  private boolean suspended;

  RunningBatch(
      StepExecutor executor,
      EngineSettings settings,
      EngineObserver observer,
      LongSupplier nanoClock) {
    this.contextLength = settings.contextLength();
    this.observer = observer;
    this.nanoClock = nanoClock;
    RuntimeSettings runtime = settings.runtime();
    scheduler =
        new Scheduler(
            new BlockAllocator(runtime.kvBlocks()),
            runtime.maxBatchRows(),
            runtime.maxLogitsRows(settings.vocabSize()),
            settings.maxRunning());
    loop = new GenerationLoop(scheduler, executor, contextLength, NO_EPOCH, nanoClock);
  }

  /** Says in which epoch the steps are. */
  void enterEpoch(int epoch) {
    loop.enterEpoch(epoch);
  }

  /** Makes a generation that can be added later. Thread-safe, the only method that is. */
  EngineTask newTask(EngineRequest request, GenerationListener listener) {
    return new EngineTask(request, contextLength, listener, observer, nanoClock);
  }

  void add(EngineTask task) {
    tasks.add(task);
    loop.submit(task.sequence());
  }

  int size() {
    return tasks.size();
  }

  boolean isEmpty() {
    return tasks.isEmpty();
  }

  /** Ends what was cancelled or took too long. */
  void endStale() {
    for (Iterator<EngineTask> remaining = tasks.iterator(); remaining.hasNext(); ) {
      EngineTask task = remaining.next();
      if (task.isCancelled() || task.isExpired()) {
        remaining.remove();
        forget(task);
        if (task.isCancelled()) {
          task.endCancelled();
        } else {
          task.failExpired();
        }
      }
    }
  }

  /** Lets as many begin as there is room for; no listener hears of it. */
  void begin() {
    if (!suspended) {
      scheduler.admit();
    }
  }

  /**
   * Runs one step and ends those that are finished.
   *
   * @throws ClusterException if the cluster failed: nothing more can run
   */
  void step() {
    tasks.forEach(EngineTask::tellStart);
    loop.step().ifPresent(observer::onStep);
    for (; preemptionsHeard < scheduler.preemptions(); preemptionsHeard++) {
      observer.onPreempted();
    }
    endFinished();
  }

  private void endFinished() {
    for (Iterator<EngineTask> remaining = tasks.iterator(); remaining.hasNext(); ) {
      EngineTask task = remaining.next();
      if (task.sequence().isFinished()) {
        remaining.remove();
        forget(task);
        task.finish();
      }
    }
  }

  /**
   * Prepares for a cluster whose KV blocks are empty: what ran is computed again from its ids, and
   * nothing begins before {@link #recover}. Ends those under which the cluster failed too often.
   */
  void restart(ClusterException error) {
    suspended = true;
    endFinished();
    Set<Sequence> interrupted = Set.copyOf(scheduler.restart());
    for (EngineTask task : List.copyOf(tasks)) {
      if (interrupted.contains(task.sequence()) && !task.mayGoOn()) {
        tasks.remove(task);
        forget(task);
        task.fail(error);
      }
    }
  }

  /** Goes on in a later epoch. */
  void recover(int epoch) {
    enterEpoch(epoch);
    recoveries++;
    suspended = false;
  }

  /** Ends all with the same error; they hear of it first, whatever state the blocks are in. */
  void fail(ClusterException error) {
    List<EngineTask> failed = List.copyOf(tasks);
    tasks.clear();
    failed.forEach(task -> task.fail(error));
    failed.forEach(this::forget);
  }

  private void forget(EngineTask task) {
    scheduler.remove(task.sequence());
    endedPromptTokens += task.computedPromptTokens();
    endedOutputTokens += task.outputTokens();
  }

  EngineStatus status(EngineStatus.State state) {
    long promptTokens = endedPromptTokens;
    long outputTokens = endedOutputTokens;
    for (EngineTask task : tasks) {
      promptTokens += task.computedPromptTokens();
      outputTokens += task.outputTokens();
    }
    return new EngineStatus(
        state,
        scheduler.running(),
        scheduler.waiting(),
        scheduler.usedBlocks(),
        scheduler.cachedBlocks(),
        scheduler.blocks(),
        scheduler.preemptions(),
        scheduler.prefixQueriedTokens(),
        scheduler.prefixHitTokens(),
        promptTokens,
        outputTokens,
        recoveries);
  }
}
