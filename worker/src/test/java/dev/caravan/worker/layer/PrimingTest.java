package dev.caravan.worker.layer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.model.checkpoint.DType;
import dev.caravan.model.checkpoint.TinyLlama;
import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.config.RopeScaling;
import dev.caravan.model.step.SequenceChunk.Logits;
import dev.caravan.model.step.StepBatch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PrimingTest {
  private static final int VOCAB_SIZE = 101;
  private static final int CONTEXT = 64;

  private static final LlamaConfig CONFIG =
      new LlamaConfig(
          96, 224, 3, 6, 3, 32, VOCAB_SIZE, 512, 1e-5f, 10_000, new RopeScaling.None(), false);

  @TempDir static Path directory;
  private static Path model;

  @BeforeAll
  static void writeModel() throws IOException {
    model = directory.resolve("tiny.gguf");
    // Two kinds of layers, as in mixed quantisations.
    TinyLlama.write(model, CONFIG, name -> name.layer() == 1 ? DType.Q8_0 : DType.F32, 5);
  }

  @Test
  void leavesResultsAndCacheAsTheyWere() throws Exception {
    int[] tokens = Batches.tokens(20, VOCAB_SIZE);
    StepBatch prompt = Batches.batch(1, Batches.chunk(0, tokens, Logits.ALL));
    StepBatch next = Batches.batch(2, Batches.chunk(20, new int[] {7}, Logits.LAST));
    try (StageRanks untouched = new StageRanks(model, 2, Batches.settings(2, 32, CONTEXT));
        StageRanks primed = new StageRanks(model, 2, Batches.settings(2, 32, CONTEXT))) {
      primed.prime(0, ticks(1_000_000));
      primed.prime(1, ticks(1_000_000));
      assertThat(primed.kvBytes(0)).isZero();
      assertThat(primed.forward(prompt)).isDeepEqualTo(untouched.forward(prompt));
      primed.prime(0, ticks(1_000_000));
      assertThat(primed.forward(next)).isDeepEqualTo(untouched.forward(next));
    }
  }

  @Test
  void stopsAtItsBoundThoughStepsBecomeFaster() {
    try (StageRanks ranks = new StageRanks(model, 1, Batches.settings(1, 32, CONTEXT))) {
      long[] now = {0};
      long[] tick = {1_000_000_000L};
      int steps =
          ranks.prime(
              0,
              () -> {
                tick[0] = Math.max(1, tick[0] * 9 / 10);
                return now[0] += tick[0];
              });
      assertThat(now[0]).isBetween(8_000_000_000L, 9_900_000_000L);
      assertThat(steps).isPositive();
    }
  }

  @Test
  void stopsWhenStepsNoLongerBecomeFaster() {
    try (StageRanks ranks = new StageRanks(model, 1, Batches.settings(1, 32, CONTEXT))) {
      // Three looks at the clock of 10 ms a step, five kinds of steps, then 700 ms of calm.
      assertThat(ranks.prime(0, ticks(10_000_000))).isBetween(20, 40);
    }
  }

  private static LongSupplier ticks(long nanos) {
    long[] now = {0};
    return () -> now[0] += nanos;
  }
}
