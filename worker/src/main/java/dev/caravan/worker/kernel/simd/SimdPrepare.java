package dev.caravan.worker.kernel.simd;

import static dev.caravan.worker.kernel.simd.Lanes.I;
import static dev.caravan.worker.kernel.simd.Memory.ADDRESS;
import static dev.caravan.worker.kernel.simd.Memory.ALL;

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
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Prepares the input of a matrix product. The padding of an activation row is zero. Inner loops
 * address memory, see {@link Memory}; the callers have checked rows and columns.
 */
final class SimdPrepare {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int BLOCK = WeightLayout.BLOCK_COLUMNS;
  private static final int BLOCK_BYTES = BLOCK * Float.BYTES;
  private static final int ABSOLUTE = 0x7fffffff;
  private static final int LOW = 0xffff;

  private SimdPrepare() {}

  static void floats(Activations x, MatmulInput out, int row) {
    copy(x, out, row);
    MemorySegment values = out.values();
    for (int block = 0; block < out.blocks(); block++) {
      long at = row * out.rowBytes() + (long) block * BLOCK_BYTES;
      float sum = 0f;
      for (int k = 0; k < BLOCK; k++) {
        sum += values.get(ValueLayout.JAVA_FLOAT, at + 4L * k);
      }
      out.scales().set(ValueLayout.JAVA_FLOAT, out.blockOffset(row, block), 1f);
      out.sums().set(ValueLayout.JAVA_FLOAT, out.blockOffset(row, block), sum);
    }
  }

  /** Rounds to int8, block by block; the sum of integers is exact in any order. */
  static void integers(Activations x, MatmulInput out, int row) {
    copy(x, out, row);
    long values = out.values().address() + row * out.rowBytes();
    long scales = out.scales().address() + out.blockOffset(row, 0);
    long sums = out.sums().address() + out.blockOffset(row, 0);
    long zeroPoints = out.zeroPoints().address() + out.blockOffset(row, 0);
    for (int block = 0; block < out.blocks(); block++) {
      long at = (values + (long) block * BLOCK_BYTES) & ADDRESS;
      // The bits of numbers without sign are ordered as the numbers are, those of NaN above all.
      IntVector max = IntVector.zero(I);
      for (int k = 0; k < BLOCK; k += Lanes.COUNT) {
        max = max.max(IntVector.fromMemorySegment(I, ALL, at + 4L * k, ORDER).and(ABSOLUTE));
      }
      float amax = Float.intBitsToFloat(max.reduceLanes(VectorOperators.MAX));
      float inverse = QuantisedRange.inverse(amax);
      // Zero, also times a number that is not finite.
      int keep = inverse == 0f ? 0 : -1;
      IntVector sum = IntVector.zero(I);
      for (int k = 0; k < BLOCK; k += Lanes.COUNT) {
        FloatVector v =
            IntVector.fromMemorySegment(I, ALL, at + 4L * k, ORDER).and(keep).reinterpretAsFloats();
        FloatVector rounded = v.mul(inverse).add(QuantisedRange.ROUND);
        rounded.sub(QuantisedRange.ROUND).intoMemorySegment(ALL, at + 4L * k, ORDER);
        sum = sum.add(rounded.reinterpretAsInts().sub(QuantisedRange.ROUND_BITS));
      }
      long offset = 4L * block;
      float scale = QuantisedRange.scale(amax);
      ALL.set(ValueLayout.JAVA_FLOAT_UNALIGNED, (scales + offset) & ADDRESS, scale);
      int total = sum.reduceLanes(VectorOperators.ADD);
      ALL.set(ValueLayout.JAVA_FLOAT_UNALIGNED, (sums + offset) & ADDRESS, total);
      ALL.set(ValueLayout.JAVA_INT_UNALIGNED, (zeroPoints + offset) & ADDRESS, -8 * total & LOW);
    }
  }

  /** Makes the forms of a row whose values are there. */
  static void forms(MatmulInput out, InputForms forms, int row) {
    if (forms.has(InputForm.TILES)) {
      tile(out, row);
    }
    if (forms.has(InputForm.NIBBLES)) {
      Factors.nibbles(out, row);
    }
    if (row < MatmulInput.INTEGER_ROWS) {
      if (forms.has(InputForm.BYTES)) {
        Factors.bytes(out, row);
      }
      if (forms.has(InputForm.FIVE_BITS)) {
        Factors.fiveBits(out, row);
      }
      if (forms.has(InputForm.SIX_BITS)) {
        Factors.sixBits(out, row);
      }
    }
  }

  private static void copy(Activations x, MatmulInput out, int row) {
    long bytes = (long) out.columns() * Float.BYTES;
    MemorySegment.copy(x.data(), x.offset(row), out.values(), row * out.rowBytes(), bytes);
  }

  /** Copies a row's values into its tile. */
  private static void tile(MatmulInput out, int row) {
    long from = out.values().address() + row * out.rowBytes();
    long to = out.tiles().address() + out.tileOffset(row, 0);
    long step = MatmulInput.TILE_ROWS * (long) Float.BYTES;
    for (int k = 0; k < out.blocks() * BLOCK; k++) {
      float value = ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, (from + 4L * k) & ADDRESS);
      ALL.set(ValueLayout.JAVA_FLOAT_UNALIGNED, (to + k * step) & ADDRESS, value);
    }
  }
}
