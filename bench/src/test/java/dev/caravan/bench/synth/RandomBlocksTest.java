package dev.caravan.bench.synth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.caravan.model.checkpoint.DType;
import dev.caravan.model.checkpoint.RandomBlocks;
import dev.caravan.worker.kernel.KernelLimits;
import dev.caravan.worker.kernel.scalar.ScalarKernels;
import dev.caravan.worker.tensor.Activations;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RandomBlocksTest {
  private static final int COLUMNS = 1 << 18;

  @ParameterizedTest
  @EnumSource(value = DType.class, names = "Q5_K", mode = EnumSource.Mode.EXCLUDE)
  void weightsHaveMeanZeroAndTheWantedDeviation(DType dtype) {
    double deviation = 1 / Math.sqrt(4096);
    byte[] row = new byte[Math.toIntExact(dtype.bytes(COLUMNS))];
    new RandomBlocks(dtype, deviation).fill(row, row.length, 42);
    double sum = 0;
    double squares = 0;
    try (Arena arena = Arena.ofConfined()) {
      Activations weights = new Activations(arena, 1, COLUMNS);
      new ScalarKernels(new KernelLimits(1, 1, 2))
          .dequantiseRow(dtype, MemorySegment.ofArray(row), COLUMNS, weights, 0);
      for (int column = 0; column < COLUMNS; column++) {
        double weight = weights.get(0, column);
        sum += weight;
        squares += weight * weight;
      }
    }
    assertThat(sum / COLUMNS).isCloseTo(0, within(deviation / 50));
    assertThat(Math.sqrt(squares / COLUMNS)).isCloseTo(deviation, within(deviation / 50));
  }
}
