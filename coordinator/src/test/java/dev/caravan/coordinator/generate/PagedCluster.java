package dev.caravan.coordinator.generate;

import dev.caravan.coordinator.cluster.StepExecutor;
import dev.caravan.coordinator.sample.SplitVocabulary;
import dev.caravan.model.step.RowAnswer;
import dev.caravan.model.step.RowQuery;
import dev.caravan.model.step.RuntimeSettings;
import dev.caravan.model.step.SequenceChunk;
import dev.caravan.model.step.StepBatch;
import dev.caravan.model.step.StepResult;
import dev.caravan.model.step.StepResult.WorkerTimes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * A model whose logits depend on every id before them, as its KV blocks hold them: whoever reads a
 * block that is not there, or another's, generates other tokens.
 */
class PagedCluster implements StepExecutor {
  static final int VOCABULARY = 100;

  private static final int NOTHING = -1;

  private final SplitVocabulary vocabulary = new SplitVocabulary(VOCABULARY, 40, 41);
  private final int[] cache;
  private List<float[]> lastLogits = List.of();

  /** No step is taken before it, so that requests that have to meet are all there by then. */
  volatile CompletableFuture<Void> start = CompletableFuture.completedFuture(null);

  int steps;
  int rows;

  PagedCluster(int blocks) {
    cache = new int[blocks * RuntimeSettings.BLOCK_POSITIONS];
    Arrays.fill(cache, NOTHING);
  }

  /** As workers that start anew. */
  void forget() {
    Arrays.fill(cache, NOTHING);
  }

  final void awaitStart() {
    start.orTimeout(60, TimeUnit.SECONDS).join();
  }

  @Override
  public StepResult execute(StepBatch batch) {
    awaitStart();
    steps++;
    rows += batch.rows();
    List<float[]> logits = new ArrayList<>();
    List<RowAnswer> answers = new ArrayList<>();
    for (SequenceChunk chunk : batch.chunks()) {
      for (int i = 0; i < chunk.tokens().length; i++) {
        cache[place(chunk, chunk.startPosition() + i)] = chunk.tokens()[i];
      }
      int position = chunk.startPosition() + chunk.tokens().length - chunk.logitsRows();
      for (RowQuery query : chunk.queries()) {
        float[] row = logits(chunk, position);
        logits.add(row);
        answers.add(vocabulary.answer(query, position, row.clone()));
        position++;
      }
    }
    lastLogits = logits;
    return new StepResult(batch.step(), answers, List.of(WorkerTimes.ZERO));
  }

  @Override
  public float[] recall(StepBatch batch, int row) {
    return lastLogits.get(row).clone();
  }

  private float[] logits(SequenceChunk chunk, int position) {
    long hash = 17;
    for (int p = 0; p <= position; p++) {
      int id = cache[place(chunk, p)];
      if (id == NOTHING) {
        throw new IllegalStateException("position %d was never computed".formatted(p));
      }
      hash = hash * 1_000_003 + id;
    }
    Random random = new Random(hash);
    float[] logits = new float[VOCABULARY];
    for (int id = 0; id < VOCABULARY; id++) {
      logits[id] = 3 * (float) random.nextGaussian();
    }
    return logits;
  }

  private static int place(SequenceChunk chunk, int position) {
    int block = chunk.blocks()[position / RuntimeSettings.BLOCK_POSITIONS];
    return block * RuntimeSettings.BLOCK_POSITIONS + position % RuntimeSettings.BLOCK_POSITIONS;
  }
}
