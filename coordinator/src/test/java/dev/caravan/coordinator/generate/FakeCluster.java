package dev.caravan.coordinator.generate;

import dev.caravan.coordinator.cluster.StepExecutor;
import dev.caravan.model.step.SequenceChunk;
import dev.caravan.model.step.StepBatch;
import dev.caravan.model.step.StepResult;
import dev.caravan.model.step.StepResult.WorkerTimes;
import java.util.ArrayList;
import java.util.List;

/**
 * A model in closed form instead of workers: after token t it likes t + 1 best (modulo the
 * vocabulary). Records the batches that it was given.
 */
final class FakeCluster implements StepExecutor {
  static final int VOCABULARY = 8;
  static final int SYNC_BYTES_PER_ROW = 10;

  final List<StepBatch> batches = new ArrayList<>();

  @Override
  public StepResult execute(StepBatch batch) {
    batches.add(batch);
    List<float[]> logits = new ArrayList<>();
    for (SequenceChunk chunk : batch.chunks()) {
      int rows = chunk.tokens().length;
      for (int row = rows - chunk.logitsRows(); row < rows; row++) {
        logits.add(logitsAfter(chunk.tokens()[row]));
      }
    }
    long bytes = (long) SYNC_BYTES_PER_ROW * batch.rows();
    return new StepResult(batch.step(), logits, List.of(new WorkerTimes(1, 1, bytes)));
  }

  /** Logit of the next token is 2, all others are 0. */
  static float[] logitsAfter(int token) {
    float[] logits = new float[VOCABULARY];
    logits[(token + 1) % VOCABULARY] = 2;
    return logits;
  }
}
