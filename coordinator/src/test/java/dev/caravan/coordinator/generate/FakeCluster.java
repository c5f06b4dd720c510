package dev.caravan.coordinator.generate;

import dev.caravan.coordinator.cluster.StepExecutor;
import dev.caravan.model.step.LogitMass;
import dev.caravan.model.step.RowAnswer;
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
class FakeCluster implements StepExecutor {
  static final int VOCABULARY = 8;
  static final int SYNC_BYTES_PER_ROW = 10;

  final List<StepBatch> batches = new ArrayList<>();

  /** True: answers nothing, so that all logits have to be recalled. */
  boolean answersFew;

  int recalls;

  @Override
  public StepResult execute(StepBatch batch) {
    batches.add(batch);
    List<RowAnswer> answers = new ArrayList<>();
    List<float[]> logits = logits(batch);
    for (int row = 0; row < logits.size(); row++) {
      answers.add(
          answersFew
              ? new RowAnswer.Candidates(new int[0], new float[0], new float[0], LogitMass.NONE)
              : new RowAnswer.All(logits.get(row)));
    }
    long bytes = (long) SYNC_BYTES_PER_ROW * batch.rows();
    return new StepResult(batch.step(), answers, List.of(new WorkerTimes(3, 2, 1, bytes)));
  }

  @Override
  public float[] recall(StepBatch batch, int row) {
    recalls++;
    return logits(batch).get(row);
  }

  private static List<float[]> logits(StepBatch batch) {
    List<float[]> logits = new ArrayList<>();
    for (SequenceChunk chunk : batch.chunks()) {
      int rows = chunk.tokens().length;
      for (int row = rows - chunk.logitsRows(); row < rows; row++) {
        logits.add(logitsAfter(chunk.tokens()[row]));
      }
    }
    return logits;
  }

  /** Logit of the next token is 2, all others are 0. */
  static float[] logitsAfter(int token) {
    float[] logits = new float[VOCABULARY];
    logits[(token + 1) % VOCABULARY] = 2;
    return logits;
  }
}
