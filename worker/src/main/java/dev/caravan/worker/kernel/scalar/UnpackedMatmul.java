package dev.caravan.worker.kernel.scalar;

import dev.caravan.worker.kernel.scalar.UnpackedWeights.Unpacked;
import dev.caravan.worker.tensor.Activations;
import dev.caravan.worker.tensor.MatmulInput;
import dev.caravan.worker.tensor.WeightLayout;
import dev.caravan.worker.tensor.WeightMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * The matrix product of {@link ScalarMatmul} over unpacked weights: the same operations in the same
 * order, in loops that every tier of the JIT makes fast at once. Confined to one thread.
 */
final class UnpackedMatmul {
  private static final int LANES = WeightLayout.GROUP_ROWS;

  private final float[] sums = new float[LANES];
  private final float[] accumulators = new float[LANES];
  private float[] values = {};

  void matmul(WeightMatrix w, Unpacked unpacked, MatmulInput x, int row, Activations y, int group) {
    if (values.length < unpacked.columns()) {
      values = new float[unpacked.columns()];
    }
    MemorySegment.copy(
        x.values(), ValueLayout.JAVA_FLOAT, row * x.rowBytes(), values, 0, unpacked.columns());
    WeightLayout layout = w.layout();
    int blocks = unpacked.columns() / layout.sumColumns();
    Arrays.fill(accumulators, 0f);
    for (int block = 0; block < blocks; block++) {
      int start = block * layout.sumColumns();
      sum(unpacked.quants(), group * unpacked.columns() + start, start, layout.sumColumns());
      long xBlock = x.blockOffset(row, start / WeightLayout.BLOCK_COLUMNS);
      flush(layout, unpacked, group * blocks + block, x, xBlock);
    }
    int firstOutput = group * LANES;
    int lanes = Math.min(LANES, w.rows() - firstOutput);
    for (int lane = 0; lane < lanes; lane++) {
      y.set(row, firstOutput + lane, accumulators[lane]);
    }
  }

  private void sum(float[] quants, int firstColumn, int start, int columns) {
    Arrays.fill(sums, 0f);
    for (int k = 0; k < columns; k++) {
      float value = values[start + k];
      int base = (firstColumn + k) * LANES;
      for (int lane = 0; lane < LANES; lane++) {
        sums[lane] = Math.fma(quants[base + lane], value, sums[lane]);
      }
    }
  }

  private void flush(
      WeightLayout layout, Unpacked unpacked, int block, MatmulInput x, long xBlock) {
    float scaleOfX = x.scales().get(ValueLayout.JAVA_FLOAT, xBlock);
    float sumOfX = layout.hasMin() ? x.sums().get(ValueLayout.JAVA_FLOAT, xBlock) : 0f;
    int base = block * LANES;
    for (int lane = 0; lane < LANES; lane++) {
      float t = layout.hasScale() ? sums[lane] * unpacked.scales()[base + lane] : sums[lane];
      if (layout.hasMin()) {
        t = Math.fma(-unpacked.mins()[base + lane], sumOfX, t);
      }
      accumulators[lane] = Math.fma(scaleOfX, t, accumulators[lane]);
    }
  }
}
