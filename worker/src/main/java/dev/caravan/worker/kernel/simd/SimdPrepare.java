package dev.caravan.worker.kernel.simd;

import static dev.caravan.worker.kernel.simd.Lanes.F;

import dev.caravan.worker.kernel.QuantisedRange;
import dev.caravan.worker.tensor.Activations;
import dev.caravan.worker.tensor.MatmulInput;
import dev.caravan.worker.tensor.WeightLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** Prepares the input of a matrix product. The padding of an activation row is zero. */
final class SimdPrepare {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int BLOCK = WeightLayout.BLOCK_COLUMNS;

  private SimdPrepare() {}

  static void floats(Activations x, MatmulInput out, int row) {
    long bytes = (long) out.columns() * Float.BYTES;
    MemorySegment.copy(x.data(), x.offset(row), out.values(), row * out.rowBytes(), bytes);
    MemorySegment values = out.values();
    for (int block = 0; block < out.blocks(); block++) {
      long at = row * out.rowBytes() + block * 128L;
      float sum = 0f;
      for (int k = 0; k < BLOCK; k++) {
        sum += values.get(ValueLayout.JAVA_FLOAT, at + 4L * k);
      }
      out.scales().set(ValueLayout.JAVA_FLOAT, out.blockOffset(row, block), 1f);
      out.sums().set(ValueLayout.JAVA_FLOAT, out.blockOffset(row, block), sum);
    }
  }

  static void integers(Activations x, MatmulInput out, int row) {
    long to = row * out.rowBytes();
    MemorySegment values = out.values();
    MemorySegment.copy(x.data(), x.offset(row), values, to, 4L * out.columns());
    for (int block = 0; block < out.blocks(); block++) {
      long at = to + block * 128L;
      float amax = largest(values, at);
      float inverse = QuantisedRange.inverse(amax);
      float sum = round(values, at, inverse);
      out.scales()
          .set(ValueLayout.JAVA_FLOAT, out.blockOffset(row, block), QuantisedRange.scale(amax));
      out.sums().set(ValueLayout.JAVA_FLOAT, out.blockOffset(row, block), sum);
    }
  }

  private static float largest(MemorySegment values, long at) {
    FloatVector max = FloatVector.zero(F);
    for (int k = 0; k < BLOCK; k += Lanes.COUNT) {
      FloatVector v = FloatVector.fromMemorySegment(F, values, at + 4L * k, ORDER);
      max = max.max(v.abs());
    }
    return max.reduceLanes(VectorOperators.MAX);
  }

  /** Rounds in place; the sum of integers is exact in any order. */
  private static float round(MemorySegment values, long at, float inverse) {
    if (inverse == 0f) {
      FloatVector zero = FloatVector.zero(F);
      for (int k = 0; k < BLOCK; k += Lanes.COUNT) {
        zero.intoMemorySegment(values, at + 4L * k, ORDER);
      }
      return 0f;
    }
    FloatVector sum = FloatVector.zero(F);
    for (int k = 0; k < BLOCK; k += Lanes.COUNT) {
      FloatVector v = FloatVector.fromMemorySegment(F, values, at + 4L * k, ORDER);
      FloatVector q = v.mul(inverse).add(QuantisedRange.ROUND).sub(QuantisedRange.ROUND);
      q.intoMemorySegment(values, at + 4L * k, ORDER);
      sum = sum.add(q);
    }
    return sum.reduceLanes(VectorOperators.ADD);
  }

  /** Copies a row's values into its tile. */
  static void tile(MatmulInput out, int row) {
    MemorySegment values = out.values();
    MemorySegment tiles = out.tiles();
    long from = row * out.rowBytes();
    long to = out.tileOffset(row, 0);
    long step = MatmulInput.TILE_ROWS * (long) Float.BYTES;
    for (int k = 0; k < out.blocks() * BLOCK; k++) {
      float value = values.get(ValueLayout.JAVA_FLOAT, from + 4L * k);
      tiles.set(ValueLayout.JAVA_FLOAT, to + k * step, value);
    }
  }

  /** Writes the integer forms of a row, see {@link MatmulInput}. */
  static void factors(MatmulInput out, int row) {
    long from = row * out.rowBytes();
    long to = row * out.factorRowBytes();
    for (int half = 0; half < out.blocks() * 2; half++) {
      int sum =
          factorsOfEight(out, from + half * 64L, to + half * 32L)
              + factorsOfEight(out, from + half * 64L + 32, to + half * 32L + 16);
      out.halfSums()
          .set(ValueLayout.JAVA_FLOAT, (2L * row * out.blocks() + half) * Float.BYTES, sum);
    }
  }

  /** Returns the sum of the eight. */
  private static int factorsOfEight(MatmulInput out, long from, long to) {
    MemorySegment v = out.values();
    int x0 = (int) v.get(ValueLayout.JAVA_FLOAT, from);
    int x1 = (int) v.get(ValueLayout.JAVA_FLOAT, from + 4);
    int x2 = (int) v.get(ValueLayout.JAVA_FLOAT, from + 8);
    int x3 = (int) v.get(ValueLayout.JAVA_FLOAT, from + 12);
    int x4 = (int) v.get(ValueLayout.JAVA_FLOAT, from + 16);
    int x5 = (int) v.get(ValueLayout.JAVA_FLOAT, from + 20);
    int x6 = (int) v.get(ValueLayout.JAVA_FLOAT, from + 24);
    int x7 = (int) v.get(ValueLayout.JAVA_FLOAT, from + 28);
    MemorySegment nibbles = out.nibbleFactors();
    nibbles.set(ValueLayout.JAVA_INT, to, pair(x0, x4 - 16 * x3));
    nibbles.set(ValueLayout.JAVA_INT, to + 4, pair(x1 - 16 * x0, x5 - 16 * x4));
    nibbles.set(ValueLayout.JAVA_INT, to + 8, pair(x2 - 16 * x1, x6 - 16 * x5));
    nibbles.set(ValueLayout.JAVA_INT, to + 12, pair(x3 - 16 * x2, x7 - 16 * x6));
    MemorySegment bytes = out.byteFactors();
    bytes.set(ValueLayout.JAVA_INT, to, pair(x0, x2));
    bytes.set(ValueLayout.JAVA_INT, to + 4, pair(x1, x3));
    bytes.set(ValueLayout.JAVA_INT, to + 8, pair(x4, x6));
    bytes.set(ValueLayout.JAVA_INT, to + 12, pair(x5, x7));
    return x0 + x1 + x2 + x3 + x4 + x5 + x6 + x7;
  }

  private static int pair(int low, int high) {
    return low & 0xffff | high << 16;
  }
}
