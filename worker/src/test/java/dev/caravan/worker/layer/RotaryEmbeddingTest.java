package dev.caravan.worker.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.config.RopeScaling;
import dev.caravan.model.step.RuntimeSettings;
import dev.caravan.model.step.SequenceChunk.Logits;
import dev.caravan.worker.kernel.Rotation;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.Collections;
import org.junit.jupiter.api.Test;

class RotaryEmbeddingTest {
  private static final int HEAD_DIM = 128;
  private static final double THETA = 500_000;
  private static final int POSITION = 100_000;

  @Test
  void anglesKeepTheirPrecisionAtHighPositions() {
    try (Arena arena = Arena.ofConfined()) {
      Rotation rotation = rotation(arena, new RopeScaling.None());
      for (int row = 0; row < 2; row++) {
        for (int pair = 0; pair < HEAD_DIM / 2; pair++) {
          double frequency = Math.exp(-Math.log(THETA) * 2 * pair / HEAD_DIM);
          assertThat((double) rotation.cos().get(row, pair))
              .isCloseTo(Math.cos((POSITION + row) * frequency), within(1e-7));
          assertThat((double) rotation.sin().get(row, pair))
              .isCloseTo(Math.sin((POSITION + row) * frequency), within(1e-7));
        }
      }
    }
  }

  @Test
  void scalingTurnsSlower() {
    Float[] divisors = new Float[HEAD_DIM / 2];
    Arrays.fill(divisors, 8f);
    try (Arena arena = Arena.ofConfined()) {
      Rotation rotation = rotation(arena, new RopeScaling.Factors(Arrays.asList(divisors)));
      assertThat((double) rotation.sin().get(0, 0))
          .isCloseTo(Math.sin(POSITION / 8.0), within(1e-7));
      Rotation same =
          rotation(arena, new RopeScaling.Factors(Collections.nCopies(HEAD_DIM / 2, 1f)));
      assertThat((double) same.sin().get(0, 0)).isCloseTo(Math.sin(POSITION), within(1e-7));
    }
  }

  private static Rotation rotation(Arena arena, RopeScaling scaling) {
    LlamaConfig config =
        new LlamaConfig(256, 256, 1, 2, 1, HEAD_DIM, 100, 131_072, 1e-5f, THETA, scaling, false);
    RuntimeSettings settings = Batches.settings(1, 2, 131_072);
    StepRows rows = new StepRows(settings, config.vocabSize());
    rows.set(Batches.batch(1, Batches.chunk(POSITION, new int[] {1, 2}, Logits.LAST)));
    return new RotaryEmbedding(arena, config, settings.maxBatchRows()).prepare(rows);
  }
}
