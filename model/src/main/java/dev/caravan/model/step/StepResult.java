package dev.caravan.model.step;

import java.util.List;

/**
 * What a forward step answers.
 *
 * @param step of the batch
 * @param answers one per row that was asked, in the batch's order
 * @param workers what each worker spent, in the plan's order
 */
public record StepResult(long step, List<RowAnswer> answers, List<WorkerTimes> workers) {

  public StepResult {
    answers = List.copyOf(answers);
    workers = List.copyOf(workers);
  }

  /**
   * What one worker spent on a step.
   *
   * @param computeNanos time outside collectives
   * @param syncNanos time in collectives and hand-overs, waiting for peers included
   * @param waitNanos the part of syncNanos in which it waited for peers' frames
   * @param syncBytes sent to other workers
   */
  public record WorkerTimes(long computeNanos, long syncNanos, long waitNanos, long syncBytes) {
    /** Nothing spent. */
    public static final WorkerTimes ZERO = new WorkerTimes(0, 0, 0, 0);

    /** Returns the sum of both. */
    public WorkerTimes plus(WorkerTimes other) {
      return new WorkerTimes(
          computeNanos + other.computeNanos,
          syncNanos + other.syncNanos,
          waitNanos + other.waitNanos,
          syncBytes + other.syncBytes);
    }
  }

  /** Bytes that all workers together sent to each other. */
  public long syncBytes() {
    long bytes = 0;
    for (WorkerTimes worker : workers) {
      bytes += worker.syncBytes();
    }
    return bytes;
  }
}
