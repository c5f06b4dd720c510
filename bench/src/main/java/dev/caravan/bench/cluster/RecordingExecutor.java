package dev.caravan.bench.cluster;

import dev.caravan.coordinator.cluster.StepExecutor;
import dev.caravan.model.step.SequenceChunk;
import dev.caravan.model.step.StepBatch;
import dev.caravan.model.step.StepResult;
import dev.caravan.model.step.StepResult.WorkerTimes;
import java.util.List;

/** Remembers what the last step was and what the workers spent on it. Confined to the loop. */
final class RecordingExecutor implements StepExecutor {
  private final StepExecutor executor;
  private int rows;
  private boolean decode;
  private List<WorkerTimes> workers = List.of();

  RecordingExecutor(StepExecutor executor) {
    this.executor = executor;
  }

  @Override
  public StepResult execute(StepBatch batch) {
    StepResult result = executor.execute(batch);
    rows = batch.rows();
    decode = batch.chunks().stream().allMatch(RecordingExecutor::continues);
    workers = result.workers();
    return result;
  }

  @Override
  public float[] recall(StepBatch batch, int row) {
    return executor.recall(batch, row);
  }

  StepSample lastStep(long nanos) {
    return new StepSample(nanos, rows, decode, workers);
  }

  private static boolean continues(SequenceChunk chunk) {
    return chunk.tokens().length == 1 && chunk.startPosition() > 0;
  }
}
