package dev.caravan.coordinator.generate;

import dev.caravan.coordinator.cluster.StepExecutor;
import dev.caravan.coordinator.schedule.BlockAllocator;
import dev.caravan.coordinator.schedule.Scheduler;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.step.RuntimeSettings;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.LongSupplier;

/** The generations that an engine has taken, waiting or running. Confined to its thread. */
final class RunningBatch {
  private final Scheduler scheduler;
  private final GenerationLoop loop;
  private final EngineObserver observer;
  private final LongSupplier nanoClock;
  private final int contextLength;
  private final List<EngineTask> tasks = new ArrayList<>();
  private long preemptionsHeard;
  private long endedPromptTokens;
  private long endedOutputTokens;

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
    loop = new GenerationLoop(scheduler, executor, contextLength, settings.epoch(), nanoClock);
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
    scheduler.admit();
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
    for (Iterator<EngineTask> remaining = tasks.iterator(); remaining.hasNext(); ) {
      EngineTask task = remaining.next();
      if (task.sequence().isFinished()) {
        remaining.remove();
        forget(task);
        task.finish();
      }
    }
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
        outputTokens);
  }
}
