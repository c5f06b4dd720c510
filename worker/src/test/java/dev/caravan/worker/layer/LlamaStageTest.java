package dev.caravan.worker.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.model.checkpoint.DType;
import dev.caravan.model.checkpoint.TinyLlama;
import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.config.RopeScaling;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.step.SequenceChunk.Logits;
import dev.caravan.model.step.StepBatch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LlamaStageTest {
  private static final int VOCAB_SIZE = 101;
  private static final int PROMPT = 37;

  /** Six query heads on three KV heads, so that 4 and more ranks share KV heads. */
  private static final LlamaConfig CONFIG =
      new LlamaConfig(
          96, 224, 3, 6, 3, 32, VOCAB_SIZE, 512, 1e-5f, 10_000, new RopeScaling.None(), false);

  @TempDir static Path directory;

  @BeforeAll
  static void writeModels() throws IOException {
    TinyLlama.write(model(DType.F32), CONFIG, name -> DType.F32, 5);
    TinyLlama.write(model(DType.Q8_0), CONFIG, name -> DType.Q8_0, 5);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 5, 6})
  void ranksTogetherComputeWhatOneRankComputes(int ranks) throws Exception {
    for (DType dtype : new DType[] {DType.F32, DType.Q8_0}) {
      float[][] expected = promptAndTwoTokens(dtype, 1);
      float[][] actual = promptAndTwoTokens(dtype, ranks);
      for (int row = 0; row < expected.length; row++) {
        assertThat(relativeDistance(actual[row], expected[row]))
            .as("%s row %d", dtype, row)
            .isLessThan(2e-6);
      }
    }
  }

  @Test
  void rowsWithoutLogitsAreNotAnswered() throws Exception {
    try (StageRanks one = new StageRanks(model(DType.F32), 1, Batches.settings(1, 8, 64))) {
      StepBatch none =
          Batches.batch(1, Batches.chunk(0, Batches.tokens(8, VOCAB_SIZE), Logits.NONE));
      assertThat(one.stage(0).forward(none)).isNull();
    }
  }

  @Test
  void refusedStepLeavesTheStageUsable() throws Exception {
    int[] tokens = Batches.tokens(8, VOCAB_SIZE);
    StepBatch good = Batches.batch(2, Batches.chunk(0, tokens, Logits.ALL));
    try (StageRanks one = new StageRanks(model(DType.F32), 1, Batches.settings(1, 8, 64));
        StageRanks other = new StageRanks(model(DType.F32), 1, Batches.settings(1, 8, 64))) {
      StepBatch bad = Batches.batch(1, Batches.chunk(0, new int[] {1, VOCAB_SIZE}, Logits.ALL));
      assertThatThrownBy(() -> one.stage(0).forward(bad)).isInstanceOf(ClusterException.class);
      assertThat(one.forward(good)).isDeepEqualTo(other.forward(good));
    }
  }

  /** Logits of the prompt's rows and of two more steps; checks that all ranks hold one sum. */
  private static float[][] promptAndTwoTokens(DType dtype, int ranks) throws Exception {
    int[] tokens = Batches.tokens(PROMPT, VOCAB_SIZE);
    float[][] logits = new float[PROMPT + 2][];
    try (StageRanks stage = new StageRanks(model(dtype), ranks, Batches.settings(1, 64, 64))) {
      float[][] prompt = stage.forward(Batches.batch(1, Batches.chunk(0, tokens, Logits.ALL)));
      System.arraycopy(prompt, 0, logits, 0, PROMPT);
      assertThat(new HashSet<>(stage.checksums())).hasSize(1).doesNotContain(0L);
      for (int i = 0; i < 2; i++) {
        int[] next = {17 + i};
        logits[PROMPT + i] =
            stage.forward(Batches.batch(2 + i, Batches.chunk(PROMPT + i, next, Logits.LAST)))[0];
        assertThat(new HashSet<>(stage.checksums())).hasSize(1);
      }
    }
    return logits;
  }

  private static double relativeDistance(float[] actual, float[] expected) {
    double difference = 0;
    double squares = 0;
    for (int i = 0; i < expected.length; i++) {
      difference += Math.pow((double) actual[i] - expected[i], 2);
      squares += Math.pow(expected[i], 2);
    }
    return Math.sqrt(difference / squares);
  }

  private static Path model(DType dtype) {
    return directory.resolve(dtype + ".gguf");
  }
}
