package dev.caravan.model.step;

import java.util.List;

/**
 * What a forward step answers.
 *
 * @param step of the batch
 * @param logits one array of vocabSize floats per wanted row, in the batch's order
 * @param workers what each worker spent, in the plan's order
 */
public record StepResult(long step, List<float[]> logits, List<WorkerTimes> workers) {

  /**
   * What one worker spent on a step.
   *
   * @param computeNanos time in kernels
   * @param syncNanos time in collectives, waiting for peers included
   * @param syncBytes sent to other workers
   */
  public record WorkerTimes(long computeNanos, long syncNanos, long syncBytes) {}

  /** Bytes that all workers together sent to each other. */
  public long syncBytes() {
    long bytes = 0;
    for (WorkerTimes worker : workers) {
      bytes += worker.syncBytes();
    }
    return bytes;
  }
}
