package dev.caravan.worker.layer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.config.RopeScaling;
import dev.caravan.model.step.SequenceChunk.Logits;
import dev.caravan.worker.kernel.KernelLimits;
import dev.caravan.worker.tensor.Activations;
import java.lang.foreign.Arena;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class StepCutTest {
  private static final int MAX_ROWS = 512;
  private static final int VOCAB_SIZE = 64;
  private static final int HEAD_DIM = 16;
  private static final LlamaConfig CONFIG =
      new LlamaConfig(
          64,
          64,
          1,
          4,
          1,
          HEAD_DIM,
          VOCAB_SIZE,
          MAX_ROWS,
          1e-5f,
          10_000,
          new RopeScaling.None(),
          false);

  private final Arena arena = Arena.ofConfined();
  private final Activations residual = new Activations(arena, MAX_ROWS, 64);
  private final Activations partial = new Activations(arena, MAX_ROWS, 64);

  @AfterEach
  void close() {
    arena.close();
  }

  private List<StepPart> cut(int ranks, int rows) {
    StepRows step = new StepRows(Batches.settings(2, MAX_ROWS, MAX_ROWS), VOCAB_SIZE);
    step.set(Batches.batch(7, Batches.chunk(0, Batches.tokens(rows, VOCAB_SIZE), Logits.NONE)));
    AttentionTasks tasks = new AttentionTasks(arena, 2, 1, new KernelLimits(MAX_ROWS, 4, HEAD_DIM));
    return new StepCut(
            ranks, new RotaryEmbedding(arena, CONFIG, MAX_ROWS), tasks, residual, partial)
        .cut(step, 7);
  }

  @Test
  void fewRowsAndRowsOfOneRankStayTogether() {
    for (List<StepPart> parts : List.of(cut(2, 1), cut(2, 127), cut(1, 512))) {
      assertThat(parts).hasSize(1);
      assertThat(parts.getFirst().rows().from()).isZero();
    }
    assertThat(cut(1, 512).getFirst().count()).isEqualTo(512);
  }

  @Test
  void manyRowsAreCutIntoHalvesOfWholeTiles() {
    for (int rows = StepCut.MIN_ROWS; rows <= MAX_ROWS; rows++) {
      List<StepPart> halves = cut(2, rows);
      assertThat(halves).hasSize(2);
      int half = halves.getFirst().count();
      assertThat(half).isBetween(rows / 2, rows / 2 + 4);
      assertThat(half % 4).isZero();
      assertThat(halves.getLast().count()).isEqualTo(rows - half);
    }
  }

  @Test
  void aPartIsTheRowsOfTheStepInTheSameMemory() {
    residual.set(101, 5, 3);
    partial.set(199, 63, 4);
    StepPart second = cut(2, 200).getLast();
    assertThat(second.step()).isEqualTo(7);
    assertThat(second.residual().get(1, 5)).isEqualTo(3);
    assertThat(second.partial().get(99, 63)).isEqualTo(4);
    assertThat(second.partial().maxRows()).isEqualTo(100);
    assertThat(second.rows().position(2)).isEqualTo(102);
    assertThat(second.rotation().cos().get(3, 0)).isEqualTo((float) Math.cos(103));
    assertThat(second.tasks().rows(0).position()).isEqualTo(100);
    assertThat(second.tasks().rows(0).fromRow()).isZero();
    second.residual().set(0, 0, 9);
    assertThat(residual.get(100, 0)).isEqualTo(9);
  }
}
