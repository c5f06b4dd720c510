package dev.caravan.worker.kernel.scalar;

import dev.caravan.worker.kernel.QuantisedRange;
import dev.caravan.worker.tensor.Activations;
import dev.caravan.worker.tensor.MatmulInput;
import dev.caravan.worker.tensor.WeightLayout;
import dev.caravan.worker.tensor.WeightMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Specification of the matrix product and of its input. Immutable. */
final class ScalarMatmul {
  private static final int BLOCK = WeightLayout.BLOCK_COLUMNS;

  private ScalarMatmul() {}

  static void prepare(Activations x, MatmulInput out, boolean int8, int row) {
    for (int block = 0; block < out.blocks(); block++) {
      float scale = int8 ? quantise(x, out, row, block) : copy(x, out, row, block);
      float sum = 0f;
      for (int k = block * BLOCK; k < (block + 1) * BLOCK; k++) {
        sum += value(out, row, k);
      }
      out.scales().set(ValueLayout.JAVA_FLOAT, out.blockOffset(row, block), scale);
      out.sums().set(ValueLayout.JAVA_FLOAT, out.blockOffset(row, block), sum);
    }
  }

  private static float copy(Activations x, MatmulInput out, int row, int block) {
    for (int k = block * BLOCK; k < (block + 1) * BLOCK; k++) {
      setValue(out, row, k, k < out.columns() ? x.get(row, k) : 0f);
    }
    return 1f;
  }

  private static float quantise(Activations x, MatmulInput out, int row, int block) {
    int start = block * BLOCK;
    int end = Math.min(start + BLOCK, out.columns());
    float amax = 0f;
    for (int k = start; k < end; k++) {
      amax = Math.max(amax, Math.abs(x.get(row, k)));
    }
    float inverse = QuantisedRange.inverse(amax);
    for (int k = start; k < start + BLOCK; k++) {
      boolean zero = inverse == 0f || k >= end;
      float rounded = zero ? 0f : x.get(row, k) * inverse + QuantisedRange.ROUND;
      setValue(out, row, k, zero ? 0f : rounded - QuantisedRange.ROUND);
    }
    return QuantisedRange.scale(amax);
  }

  static void matmul(WeightMatrix w, MatmulInput x, int row, Activations y, int group) {
    MemorySegment data = w.group(group);
    WeightLayout layout = w.layout();
    int firstOutput = group * WeightLayout.GROUP_ROWS;
    int lanes = Math.min(WeightLayout.GROUP_ROWS, w.rows() - firstOutput);
    int columns = x.blocks() * BLOCK;
    for (int lane = 0; lane < lanes; lane++) {
      float acc = 0f;
      for (int start = 0; start < columns; start += layout.sumColumns()) {
        float sum = 0f;
        for (int k = start; k < start + layout.sumColumns(); k++) {
          sum = Math.fma(layout.quant(data, lane, k), value(x, row, k), sum);
        }
        long block = x.blockOffset(row, start / BLOCK);
        float t = layout.hasScale() ? sum * layout.scale(data, lane, start) : sum;
        if (layout.hasMin()) {
          float sumOfX = x.sums().get(ValueLayout.JAVA_FLOAT, block);
          t = Math.fma(-layout.min(data, lane, start), sumOfX, t);
        }
        acc = Math.fma(x.scales().get(ValueLayout.JAVA_FLOAT, block), t, acc);
      }
      y.set(row, firstOutput + lane, acc);
    }
  }

  private static float value(MatmulInput x, int row, int column) {
    return x.values().get(ValueLayout.JAVA_FLOAT, row * x.rowBytes() + 4L * column);
  }

  private static void setValue(MatmulInput x, int row, int column, float value) {
    x.values().set(ValueLayout.JAVA_FLOAT, row * x.rowBytes() + 4L * column, value);
  }
}
