package dev.caravan.coordinator.generate;

import dev.caravan.coordinator.schedule.Scheduler;
import dev.caravan.model.error.ClusterException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/** The generations that an engine has taken, waiting or running. Confined to its thread. */
final class RunningBatch {
  private final Scheduler scheduler;
  private final GenerationLoop loop;
  private final EngineObserver observer;
  private final List<EngineTask> tasks = new ArrayList<>();
  private long preemptionsHeard;
  private long endedPromptTokens;
  private long endedOutputTokens;

  RunningBatch(Scheduler scheduler, GenerationLoop loop, EngineObserver observer) {
    this.scheduler = scheduler;
    this.loop = loop;
    this.observer = observer;
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

  /** Ends what was cancelled or took too long, and lets others begin in their places. */
  void admit() {
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
    scheduler.admit();
    tasks.forEach(EngineTask::tellStart);
  }

  /**
   * Runs one step and ends those that are finished.
   *
   * @throws ClusterException if the cluster failed: nothing more can run
   */
  void step() {
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

  /** Ends all with the same error. */
  void fail(ClusterException error) {
    for (EngineTask task : tasks) {
      forget(task);
      task.fail(error);
    }
    tasks.clear();
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
