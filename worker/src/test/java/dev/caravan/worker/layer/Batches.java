package dev.caravan.worker.layer;

import dev.caravan.model.step.RuntimeSettings;
import dev.caravan.model.step.SequenceChunk;
import dev.caravan.model.step.StepBatch;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** Step batches and settings of the layer tests. */
final class Batches {
  private Batches() {}

  static RuntimeSettings settings(int threads, int maxRows, int contextLength) {
    return settings(threads, maxRows, contextLength, RuntimeSettings.Sync.F32);
  }

  static RuntimeSettings settings(
      int threads, int maxRows, int contextLength, RuntimeSettings.Sync sync) {
    return new RuntimeSettings(
        threads,
        RuntimeSettings.Kernels.SIMD,
        RuntimeSettings.Activations.F32,
        RuntimeSettings.KvType.F32,
        sync,
        RuntimeSettings.Collective.AUTO,
        maxRows,
        Math.ceilDiv(contextLength, RuntimeSettings.BLOCK_POSITIONS),
        contextLength,
        true,
        30_000);
  }

  /** Returns rows of one sequence whose position p lives in block p / 16. */
  static SequenceChunk chunk(int startPosition, int[] tokens, SequenceChunk.Logits logits) {
    int end = startPosition + tokens.length;
    int blocks = Math.ceilDiv(end, RuntimeSettings.BLOCK_POSITIONS);
    return new SequenceChunk(startPosition, tokens, IntStream.range(0, blocks).toArray(), logits);
  }

  static StepBatch batch(long step, SequenceChunk... chunks) {
    return new StepBatch(1, step, List.of(chunks));
  }

  static int[] tokens(int count, int vocabSize) {
    return new Random(7).ints(count, 0, vocabSize).toArray();
  }
}
