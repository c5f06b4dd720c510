package dev.caravan.worker.kernel.simd;

import static dev.caravan.worker.kernel.simd.Lanes.F;

import dev.caravan.worker.kernel.QuantisedRange;
import dev.caravan.worker.tensor.Activations;
import dev.caravan.worker.tensor.InputForm;
import dev.caravan.worker.tensor.InputForms;
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

  /** Makes the forms of a row whose values are there. */
  static void forms(MatmulInput out, InputForms forms, int row) {
    if (forms.has(InputForm.TILES)) {
      tile(out, row);
    }
    if (forms.has(InputForm.NIBBLES)) {
      nibbleFactors(out, row);
    }
    if (row < MatmulInput.INTEGER_ROWS) {
      if (forms.has(InputForm.BYTES)) {
        byteFactors(out, row);
      }
      if (forms.has(InputForm.FIVE_BITS)) {
        FieldFactors.fiveBits(out, row);
      }
      if (forms.has(InputForm.SIX_BITS)) {
        FieldFactors.sixBits(out, row);
      }
    }
  }

  /** Copies a row's values into its tile. */
  private static void tile(MatmulInput out, int row) {
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

  /** Writes the factors for nibbles of a row, see {@link MatmulInput}. */
  private static void nibbleFactors(MatmulInput out, int row) {
    MemorySegment v = out.values();
    MemorySegment nibbles = out.nibbleFactors();
    long from = row * out.rowBytes();
    long to = row * out.factorRowBytes();
    for (int eight = 0; eight < out.blocks() * 4; eight++) {
      int before = 0;
      int middle = (int) v.get(ValueLayout.JAVA_FLOAT, from + eight * 32L + 12);
      for (int i = 0; i < 4; i++) {
        int low = (int) v.get(ValueLayout.JAVA_FLOAT, from + eight * 32L + 4L * i);
        int high = (int) v.get(ValueLayout.JAVA_FLOAT, from + eight * 32L + 16 + 4L * i);
        int factor = pair(low - 16 * before, high - 16 * middle);
        nibbles.set(ValueLayout.JAVA_INT, to + eight * 16L + 4L * i, factor);
        before = low;
        middle = high;
      }
    }
  }

  /** Writes the factors for bytes of a row, see {@link MatmulInput}. */
  private static void byteFactors(MatmulInput out, int row) {
    MemorySegment v = out.values();
    MemorySegment bytes = out.byteFactors();
    long from = row * out.rowBytes();
    long to = row * out.factorRowBytes();
    for (int four = 0; four < out.blocks() * 8; four++) {
      long at = from + four * 16L;
      int x0 = (int) v.get(ValueLayout.JAVA_FLOAT, at);
      int x1 = (int) v.get(ValueLayout.JAVA_FLOAT, at + 4);
      int x2 = (int) v.get(ValueLayout.JAVA_FLOAT, at + 8);
      int x3 = (int) v.get(ValueLayout.JAVA_FLOAT, at + 12);
      bytes.set(ValueLayout.JAVA_INT, to + four * 8L, pair(x0, x2));
      bytes.set(ValueLayout.JAVA_INT, to + four * 8L + 4, pair(x1, x3));
    }
  }

  private static int pair(int low, int high) {
    return low & 0xffff | high << 16;
  }
}
