package dev.caravan.coordinator.metrics;

import dev.caravan.model.step.StepResult.WorkerTimes;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;

/** What each worker spent on the steps: on all of them, and on the latest. Thread-safe. */
public final class WorkerLoad {
  private static final int RECENT_STEPS = 32;

  private final List<WorkerTimes> totals;
  private final Deque<List<WorkerTimes>> recent = new ArrayDeque<>();
  private long steps;

  /**
   * What was spent so far, worker by worker in the plan's order.
   *
   * @param steps how many
   * @param totals on all steps
   * @param recentSteps how many of the latest steps are looked at
   * @param recent on those
   */
  public record Spent(
      long steps, List<WorkerTimes> totals, int recentSteps, List<WorkerTimes> recent) {}

  public WorkerLoad(int workers) {
    this.totals = new ArrayList<>(Collections.nCopies(workers, WorkerTimes.ZERO));
  }

  synchronized void add(List<WorkerTimes> workers) {
    addTo(totals, workers);
    if (recent.size() == RECENT_STEPS) {
      recent.removeFirst();
    }
    recent.addLast(workers);
    steps++;
  }

  public synchronized Spent spent() {
    List<WorkerTimes> latest =
        new ArrayList<>(Collections.nCopies(totals.size(), WorkerTimes.ZERO));
    recent.forEach(step -> addTo(latest, step));
    return new Spent(steps, List.copyOf(totals), recent.size(), latest);
  }

  private static void addTo(List<WorkerTimes> sums, List<WorkerTimes> step) {
    for (int worker = 0; worker < sums.size(); worker++) {
      sums.set(worker, sums.get(worker).plus(step.get(worker)));
    }
  }
}
