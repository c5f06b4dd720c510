package dev.caravan.worker.kernel.simd;

import dev.caravan.model.checkpoint.DType;
import dev.caravan.worker.tensor.Activations;
import dev.caravan.worker.tensor.InputForm;
import dev.caravan.worker.tensor.InputForms;
import dev.caravan.worker.tensor.MatmulInput;
import dev.caravan.worker.tensor.WeightLayout;
import dev.caravan.worker.tensor.WeightMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Chooses between the kernels of the matrix product; all give the same bits. One thread. */
final class SimdMatmul {
  /** Up to so many rows, reading weights again from the cache is cheaper than making panels. */
  private static final int ONE_ROW_KERNEL_ROWS = MatmulInput.INTEGER_ROWS;

  /** Up to so many rows, nibbles are multiplied as they are, without panels. */
  private static final int MAX_NIBBLE_ROWS = NibbleRowsMatmul.FOUR_ROWS ? Integer.MAX_VALUE : 8;

  /** Vectors of rows that the one-row kernels take at a time, and the outputs that they give. */
  private static final int VECTORS = 4;

  private static final int OUTPUTS = VECTORS * Lanes.COUNT;
  private static final int GROUP = WeightLayout.GROUP_ROWS;

  private static final InputForms FLOATS = InputForms.of(false);
  private static final InputForms INTEGERS = InputForms.of(true);
  private static final InputForms FLOAT_TILES = InputForms.of(false, InputForm.TILES);
  private static final InputForms INTEGER_TILES = InputForms.of(true, InputForm.TILES);
  private static final InputForms NIBBLES = InputForms.of(true, InputForm.NIBBLES);
  private static final InputForms BYTES = InputForms.of(true, InputForm.BYTES);
  private static final InputForms FIVE_BITS = InputForms.of(true, InputForm.FIVE_BITS);
  private static final InputForms SIX_BITS = InputForms.of(true, InputForm.SIX_BITS);

  /** The kernels of a product. */
  private enum Way {
    ONE_ROW,
    NIBBLE_ROWS,
    NIBBLE_PANELS,
    FLOAT_PANELS
  }

  private final PanelMatmul panels;
  private final NibbleRowsMatmul nibbleRows;
  private final NibblePanelMatmul nibblePanels;
  private final MemorySegment results;

  SimdMatmul(Arena arena) {
    this.panels = new PanelMatmul(arena);
    this.nibbleRows = new NibbleRowsMatmul(arena);
    this.nibblePanels = new NibblePanelMatmul(arena);
    this.results = arena.allocate(VECTORS * Lanes.BYTES, WeightLayout.LINE_BYTES);
  }

  void multiply(
      WeightMatrix w, MatmulInput x, int rows, Activations y, int fromGroup, int toGroup) {
    Memory.checkGroups(w, fromGroup, toGroup);
    switch (way(w.dtype(), x.forms().int8(), rows)) {
      case ONE_ROW -> multiplyRows(w, x, rows, y, fromGroup, toGroup);
      case NIBBLE_ROWS -> nibbleRows.multiply(w, x, rows, y, fromGroup, toGroup);
      case NIBBLE_PANELS -> nibblePanels.multiply(w, x, rows, y, fromGroup, toGroup);
      case FLOAT_PANELS -> panels.multiply(w, x, rows, y, fromGroup, toGroup);
    }
  }

  /** Returns what the kernels for a product read. */
  static InputForms forms(DType dtype, boolean int8, int rows) {
    return switch (way(dtype, int8, rows)) {
      case FLOAT_PANELS -> int8 ? INTEGER_TILES : FLOAT_TILES;
      case NIBBLE_ROWS, NIBBLE_PANELS -> NIBBLES;
      case ONE_ROW ->
          switch (dtype) {
            case F32, F16, BF16 -> int8 ? INTEGERS : FLOATS;
            case Q8_0 -> BYTES;
            case Q4_0, Q4_K -> NIBBLES;
            case Q5_K -> FIVE_BITS;
            case Q6_K -> SIX_BITS;
          };
    };
  }

  private static Way way(DType dtype, boolean int8, int rows) {
    boolean nibbles = int8 && (dtype == DType.Q4_0 || dtype == DType.Q4_K);
    if (dtype == DType.Q4_0 && int8 && rows > 1 && rows <= MAX_NIBBLE_ROWS) {
      return Way.NIBBLE_ROWS;
    }
    if (rows <= ONE_ROW_KERNEL_ROWS && (int8 || !dtype.isQuantised())) {
      return Way.ONE_ROW;
    }
    return nibbles ? Way.NIBBLE_PANELS : Way.FLOAT_PANELS;
  }

  private void multiplyRows(
      WeightMatrix w, MatmulInput x, int rows, Activations y, int fromGroup, int toGroup) {
    int end = toGroup * GROUP;
    int first = fromGroup * GROUP;
    while (first < end) {
      // A rest that does not fill four vectors is computed group by group, some lanes in vain.
      boolean full = first + OUTPUTS <= end;
      long w0 = address(w, first);
      long w1 = full ? address(w, first + 2 * Lanes.COUNT) : w0;
      long next = full ? w.groupBytes() : 0;
      int outputs = full ? OUTPUTS : GROUP;
      for (int row = 0; row < rows; row++) {
        multiplyRow(w, x, row, w0, w1, next);
        long bytes = 4L * Math.min(outputs, w.rows() - first);
        MemorySegment.copy(results, 0, y.data(), y.offset(row) + 4L * first, bytes);
      }
      first += outputs;
    }
  }

  private void multiplyRow(WeightMatrix w, MatmulInput x, int row, long w0, long w1, long next) {
    int blocks = x.blocks();
    long v = x.values().address() + row * x.rowBytes();
    long nibbles = x.nibbleFactors().address() + row * x.factorRowBytes();
    long bytes = x.byteFactors().address() + row * x.factorRowBytes();
    long d = x.scales().address() + x.blockOffset(row, 0);
    long sums = x.sums().address() + x.blockOffset(row, 0);
    long zeroPoints = x.zeroPoints().address() + x.blockOffset(row, 0);
    long fives = x.fiveBitFactors().address() + row * x.fieldRowBytes();
    long sixes = x.sixBitFactors().address() + row * x.fieldRowBytes();
    long out = results.address();
    switch (w.dtype()) {
      case F32 -> FloatKernels.f32(w0, w1, next, blocks, v, d, out);
      case F16 -> FloatKernels.f16(w0, w1, next, blocks, v, d, out);
      case BF16 -> FloatKernels.bf16(w0, w1, next, blocks, v, d, out);
      case Q8_0 -> ByteKernels.q8(w0, w1, next, blocks, bytes, d, out);
      case Q4_0 -> NibbleKernels.q4(w0, w1, next, blocks, nibbles, d, zeroPoints, out);
      case Q4_K -> NibbleKernels.q4k(w0, w1, next, blocks, nibbles, d, sums, out);
      case Q5_K -> FieldKernels.q5k(w0, w1, next, blocks, fives, d, sums, out);
      case Q6_K -> FieldKernels.q6k(w0, w1, next, blocks, sixes, d, out);
    }
  }

  private static long address(WeightMatrix w, int output) {
    return w.data().address() + output / GROUP * w.groupBytes() + 4L * (output % GROUP);
  }
}
