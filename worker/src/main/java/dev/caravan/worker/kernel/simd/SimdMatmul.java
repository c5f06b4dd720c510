package dev.caravan.worker.kernel.simd;

import dev.caravan.model.checkpoint.DType;
import dev.caravan.worker.tensor.Activations;
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
  private static final int NIBBLE_PAIR_ROWS = 8;

  /** Vectors of rows that the one-row kernels take at a time, and the outputs that they give. */
  private static final int VECTORS = 4;

  private static final int OUTPUTS = VECTORS * Lanes.COUNT;
  private static final int GROUP = WeightLayout.GROUP_ROWS;

  private final PanelMatmul panels;
  private final NibblePairMatmul nibblePairs;
  private final NibblePanelMatmul nibblePanels;
  private final MemorySegment results;

  SimdMatmul(Arena arena) {
    this.panels = new PanelMatmul(arena);
    this.nibblePairs = new NibblePairMatmul(arena);
    this.nibblePanels = new NibblePanelMatmul(arena);
    this.results = arena.allocate(VECTORS * Lanes.BYTES, WeightLayout.LINE_BYTES);
  }

  void multiply(
      WeightMatrix w, MatmulInput x, int rows, Activations y, int fromGroup, int toGroup) {
    Memory.checkGroups(w, fromGroup, toGroup);
    boolean few = rows > 1 && rows <= NIBBLE_PAIR_ROWS;
    if (few && w.dtype() == DType.Q4_0 && x.int8()) {
      nibblePairs.multiply(w, x, rows, y, fromGroup, toGroup);
    } else if (rows <= ONE_ROW_KERNEL_ROWS && hasOneRowKernel(w, x)) {
      multiplyRows(w, x, rows, y, fromGroup, toGroup);
    } else if (NibblePanelMatmul.takes(w, x)) {
      nibblePanels.multiply(w, x, rows, y, fromGroup, toGroup);
    } else {
      panels.multiply(w, x, rows, y, fromGroup, toGroup);
    }
  }

  private static boolean hasOneRowKernel(WeightMatrix w, MatmulInput x) {
    return switch (w.dtype()) {
      case F32, F16, BF16 -> true;
      case Q8_0, Q4_0, Q4_K, Q6_K -> x.int8();
      case Q5_K -> false;
    };
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
    long halfSums = x.halfSums().address() + 2 * x.blockOffset(row, 0);
    long out = results.address();
    switch (w.dtype()) {
      case F32 -> FloatKernels.f32(w0, w1, next, blocks, v, d, out);
      case F16 -> FloatKernels.f16(w0, w1, next, blocks, v, d, out);
      case BF16 -> FloatKernels.bf16(w0, w1, next, blocks, v, d, out);
      case Q8_0 -> ByteKernels.q8(w0, w1, next, blocks, bytes, d, out);
      case Q4_0 -> NibbleKernels.q4(w0, w1, next, blocks, nibbles, d, sums, out);
      case Q4_K -> NibbleKernels.q4k(w0, w1, next, blocks, nibbles, d, sums, out);
      case Q6_K -> {
        NibbleKernels.q6k(w0, next, blocks, nibbles, d, halfSums, out);
        NibbleKernels.q6k(w1, next, blocks, nibbles, d, halfSums, out + 2 * Lanes.BYTES);
      }
      case Q5_K -> throw new IllegalStateException(w.dtype() + " has no such kernel");
    }
  }

  private static long address(WeightMatrix w, int output) {
    return w.data().address() + output / GROUP * w.groupBytes() + 4L * (output % GROUP);
  }
}
