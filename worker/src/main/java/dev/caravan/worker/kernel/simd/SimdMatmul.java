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

  /** Vectors of weight rows that the one-row kernels take at a time. */
  private static final int VECTORS = 4;

  private static final int GROUP = WeightLayout.GROUP_ROWS;
  private static final int LINE = WeightLayout.LINE_BYTES;

  /**
   * Groups that the one-row kernels take at a time. Each is at the head of a stream that goes on
   * where it ends: processors foresee what is read without jumps.
   */
  private static final int STREAMS = VECTORS * Lanes.COUNT / GROUP;

  private static final int ALONE = 0;

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
    int length = (toGroup - fromGroup) / STREAMS;
    for (int group = fromGroup; group < fromGroup + length; group++) {
      multiplyGroups(w, x, rows, y, group, length);
    }
    // A rest is computed group by group, some lanes in vain.
    for (int group = fromGroup + STREAMS * length; group < toGroup; group++) {
      multiplyGroups(w, x, rows, y, group, ALONE);
    }
  }

  /**
   * Multiplies by the group at the head of each stream.
   *
   * @param group of the first stream
   * @param length of a stream in groups; ALONE for one group
   */
  private void multiplyGroups(
      WeightMatrix w, MatmulInput x, int rows, Activations y, int group, int length) {
    long w0 = w.data().address() + group * w.groupBytes();
    // The third vector: in the third stream, the second one, or later in the same line.
    long w1 = w0 + 2 * Lanes.COUNT / GROUP * length * w.groupBytes() + 2 * Lanes.BYTES % LINE;
    long next = length * w.groupBytes();
    int groups = length == ALONE ? 1 : STREAMS;
    for (int row = 0; row < rows; row++) {
      multiplyRow(w, x, row, w0, w1, next);
      for (int stream = 0; stream < groups; stream++) {
        int first = (group + stream * length) * GROUP;
        long bytes = 4L * Math.min(GROUP, w.rows() - first);
        long to = y.offset(row) + 4L * first;
        MemorySegment.copy(results, 4L * stream * GROUP, y.data(), to, bytes);
      }
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
}
