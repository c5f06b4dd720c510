package dev.caravan.worker.layer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.model.checkpoint.DType;
import dev.caravan.model.checkpoint.TinyLlama;
import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.config.RopeScaling;
import dev.caravan.model.step.RuntimeSettings;
import dev.caravan.model.step.SequenceChunk;
import dev.caravan.model.step.SequenceChunk.Logits;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Steps that are computed in two halves. */
class HalvesTest {
  private static final int VOCAB_SIZE = 101;
  private static final int CONTEXT = 256;
  private static final int LAYERS = 3;
  private static final int HIDDEN = 128;
  private static final int FRAME_HEADER = 48;

  private static final LlamaConfig CONFIG =
      new LlamaConfig(
          HIDDEN,
          256,
          LAYERS,
          8,
          4,
          16,
          VOCAB_SIZE,
          CONTEXT,
          1e-5f,
          10_000,
          new RopeScaling.None(),
          false);

  @TempDir static Path directory;

  @BeforeAll
  static void writeModel() throws IOException {
    TinyLlama.write(model(), CONFIG, name -> DType.Q8_0, 5);
  }

  private static Path model() {
    return directory.resolve("model.gguf");
  }

  private static StageRanks ranks(int ranks, RuntimeSettings.Sync sync) {
    return new StageRanks(model(), ranks, Batches.settings(2, CONTEXT, CONTEXT, sync));
  }

  /** Rows of one of two sequences, each with half of the blocks. */
  private static SequenceChunk chunk(int sequence, int from, int to) {
    int[] tokens = Batches.tokens(CONTEXT, VOCAB_SIZE);
    int blocks = CONTEXT / RuntimeSettings.BLOCK_POSITIONS / 2;
    return new SequenceChunk(
        from,
        Arrays.copyOfRange(tokens, sequence + from, sequence + to),
        IntStream.range(sequence * blocks, (sequence + 1) * blocks).toArray(),
        Logits.ALL);
  }

  /** Runs both sequences in one step, and a row more of each; returns all logits. */
  private static List<float[]> together(StageRanks stage, int first, int second) throws Exception {
    List<float[]> logits = new ArrayList<>();
    logits.addAll(
        List.of(stage.forward(Batches.batch(1, chunk(0, 0, first), chunk(1, 0, second)))));
    assertThat(new HashSet<>(stage.checksums())).as("ranks agree").hasSize(1);
    logits.addAll(nextRows(stage, first, second));
    return logits;
  }

  /** The same in steps of a few rows. */
  private static List<float[]> bitByBit(StageRanks stage, int first, int second) throws Exception {
    int few = 31;
    List<float[]> logits = new ArrayList<>();
    int step = 1;
    int[] lengths = {first, second};
    for (int sequence = 0; sequence < 2; sequence++) {
      for (int from = 0; from < lengths[sequence]; from += few) {
        int to = Math.min(from + few, lengths[sequence]);
        logits.addAll(List.of(stage.forward(Batches.batch(step++, chunk(sequence, from, to)))));
      }
    }
    logits.addAll(nextRows(stage, first, second));
    return logits;
  }

  private static List<float[]> nextRows(StageRanks stage, int first, int second) throws Exception {
    return List.of(
        stage.forward(
            Batches.batch(1000, chunk(0, first, first + 1), chunk(1, second, second + 1))));
  }

  @ParameterizedTest
  @EnumSource(RuntimeSettings.Sync.class)
  void haveTheBitsOfRowsThatAreNotCut(RuntimeSettings.Sync sync) throws Exception {
    for (int ranks = 2; ranks <= 4; ranks++) {
      // The cut is in the first sequence, between both, in the second.
      for (int[] rows : new int[][] {{101, 60}, {80, 80}, {9, 120}}) {
        try (StageRanks halves = ranks(ranks, sync);
            StageRanks whole = ranks(ranks, sync)) {
          List<float[]> actual = together(halves, rows[0], rows[1]);
          List<float[]> wanted = bitByBit(whole, rows[0], rows[1]);
          assertThat(actual).hasSameSizeAs(wanted);
          for (int row = 0; row < wanted.size(); row++) {
            assertThat(actual.get(row))
                .as("row %d of %d ranks", row, ranks)
                .isEqualTo(wanted.get(row));
          }
        }
      }
    }
  }

  @Test
  void areSummedApartAndMoveWhileTheyCompute() throws Exception {
    for (int rows : new int[] {StepCut.MIN_ROWS - 1, StepCut.MIN_ROWS}) {
      try (StageRanks stage = ranks(2, RuntimeSettings.Sync.F32)) {
        SequenceChunk chunk = Batches.chunk(0, Batches.tokens(rows, VOCAB_SIZE), Logits.LAST);
        stage.forward(Batches.batch(1, chunk));
        int halves = rows < StepCut.MIN_ROWS ? 1 : 2;
        assertThat(stage.progressed(0) > 0).as("%d rows", rows).isEqualTo(halves == 2);
        int progressed = stage.progressed(0);
        stage.forward(Batches.batch(2, Batches.chunk(rows, new int[] {1}, Logits.LAST)));
        assertThat(stage.progressed(0)).as("after one row more").isEqualTo(progressed);
        assertThat(stage.bytesSent(0))
            .isEqualTo(
                2L * LAYERS * ((rows + 1) * HIDDEN * Float.BYTES + (halves + 1) * FRAME_HEADER));
      }
    }
  }
}
