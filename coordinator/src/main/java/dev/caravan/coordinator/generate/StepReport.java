package dev.caravan.coordinator.generate;

import dev.caravan.model.step.StepResult.WorkerTimes;
import java.util.List;

/**
 * What one step did.
 *
 * @param decodeRows rows of sequences that decoded
 * @param promptRows rows of prompts, and of what is computed again
 * @param nanos from choosing the rows to taking their answers
 * @param workers what each worker spent, in the plan's order
 */
public record StepReport(int decodeRows, int promptRows, long nanos, List<WorkerTimes> workers) {
  public StepReport {
    workers = List.copyOf(workers);
  }
}
