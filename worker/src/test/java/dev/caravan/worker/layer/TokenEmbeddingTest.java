package dev.caravan.worker.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.caravan.model.checkpoint.DType;
import dev.caravan.model.checkpoint.TensorEntry;
import dev.caravan.model.step.SequenceChunk.Logits;
import dev.caravan.worker.kernel.KernelLimits;
import dev.caravan.worker.kernel.RandomWeights;
import dev.caravan.worker.kernel.simd.SimdKernels;
import dev.caravan.worker.tensor.Activations;
import dev.caravan.worker.tensor.WeightLayout;
import dev.caravan.worker.tensor.WeightMatrix;
import dev.caravan.worker.tensor.WeightPacker;
import dev.caravan.worker.tensor.WeightSlice;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TokenEmbeddingTest {
  private static final int VOCAB_SIZE = 37;
  private static final int HIDDEN = 512;

  @ParameterizedTest
  @EnumSource(DType.class)
  void looksUpTheRowsThatThePackedWeightsHold(DType dtype) {
    WeightSlice weights = new RandomWeights(dtype, VOCAB_SIZE, HIDDEN, 2f, new Random(11)).slice();
    try (Arena arena = Arena.ofConfined()) {
      WeightMatrix packed = WeightPacker.allocate(arena, dtype, VOCAB_SIZE, HIDDEN);
      WeightPacker.pack(weights, packed, 0, packed.rowGroups());
      TensorEntry table =
          new TensorEntry("token_embd.weight", dtype, VOCAB_SIZE, HIDDEN, weights.data());
      int[] tokens = {36, 0, 36, 16, 15};
      StepRows rows = new StepRows(Batches.settings(1, 8, 64), VOCAB_SIZE);
      rows.set(Batches.batch(1, Batches.chunk(0, tokens, Logits.NONE)));
      Activations x = new Activations(arena, 8, HIDDEN);
      SimdKernels kernels = new SimdKernels(arena, new KernelLimits(64, 1, 32));
      new TokenEmbedding(table, kernels).forward(rows, x);
      for (int row = 0; row < tokens.length; row++) {
        for (int column = 0; column < HIDDEN; column++) {
          float expected = weight(packed, tokens[row], column);
          assertThat(x.get(row, column))
              .as("%s, token %d, column %d", dtype, tokens[row], column)
              .isCloseTo(expected, within(Math.abs(expected) * 1e-6f));
        }
      }
    }
  }

  private static float weight(WeightMatrix packed, int row, int column) {
    WeightLayout layout = packed.layout();
    MemorySegment group = packed.group(row / WeightLayout.GROUP_ROWS);
    int lane = row % WeightLayout.GROUP_ROWS;
    int block = column / layout.sumColumns() * layout.sumColumns();
    float quant = layout.quant(group, lane, column);
    return layout.hasScale()
        ? layout.scale(group, lane, block) * quant - layout.min(group, lane, block)
        : quant;
  }
}
