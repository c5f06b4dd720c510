package dev.caravan.coordinator.generate;

import dev.caravan.model.step.StepResult.WorkerTimes;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.ToLongFunction;

/**
 * What each worker spent on the steps of a loop: the sum of all, the latest, and the median of the
 * latest ones. Confined to the loop's thread.
 */
public final class StepTimes {
  private static final int MEDIAN_STEPS = 256;

  private final Deque<List<WorkerTimes>> latest = new ArrayDeque<>();
  private final List<WorkerTimes> totals = new ArrayList<>();
  private long steps;

  void add(List<WorkerTimes> workers) {
    for (int i = 0; i < workers.size(); i++) {
      if (i == totals.size()) {
        totals.add(WorkerTimes.ZERO);
      }
      totals.set(i, totals.get(i).plus(workers.get(i)));
    }
    if (latest.size() == MEDIAN_STEPS) {
      latest.removeFirst();
    }
    latest.addLast(workers);
    steps++;
  }

  /** Forgets all steps: measurements begin here. */
  public void clear() {
    latest.clear();
    totals.clear();
    steps = 0;
  }

  /** Steps since the start. */
  public long steps() {
    return steps;
  }

  /** Sum of all steps, worker by worker in the plan's order. */
  public List<WorkerTimes> totals() {
    return List.copyOf(totals);
  }

  /** The latest step; empty before the first. */
  public List<WorkerTimes> last() {
    return latest.isEmpty() ? List.of() : latest.getLast();
  }

  /** Median over the latest steps, up to 256, of each number by itself. */
  public List<WorkerTimes> medians() {
    List<WorkerTimes> medians = new ArrayList<>();
    for (int worker = 0; worker < last().size(); worker++) {
      medians.add(
          new WorkerTimes(
              median(worker, WorkerTimes::computeNanos),
              median(worker, WorkerTimes::syncNanos),
              median(worker, WorkerTimes::waitNanos),
              median(worker, WorkerTimes::syncBytes)));
    }
    return medians;
  }

  private long median(int worker, ToLongFunction<WorkerTimes> number) {
    long[] numbers =
        latest.stream().mapToLong(step -> number.applyAsLong(step.get(worker))).sorted().toArray();
    return numbers[numbers.length / 2];
  }
}
