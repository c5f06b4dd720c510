package dev.caravan.worker.kernel.simd;

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

  /** Vectors of a group that the one-row kernels take at a time. */
  private static final int PAIR = 2;

  private final PanelMatmul panels;
  private final MemorySegment results;

  SimdMatmul(Arena arena) {
    this.panels = new PanelMatmul(arena);
    this.results = arena.allocate(PAIR * Lanes.BYTES, WeightLayout.LINE_BYTES);
  }

  void multiply(
      WeightMatrix w, MatmulInput x, int rows, Activations y, int fromGroup, int toGroup) {
    if (rows <= ONE_ROW_KERNEL_ROWS && hasOneRowKernel(w, x)) {
      multiplyRows(w, x, rows, y, fromGroup, toGroup);
    } else {
      panels.multiply(w, x, rows, y, fromGroup, toGroup);
    }
  }

  private static boolean hasOneRowKernel(WeightMatrix w, MatmulInput x) {
    return switch (w.dtype()) {
      case F32, F16, BF16 -> true;
      case Q8_0, Q4_0 -> x.int8();
      case Q4_K, Q5_K, Q6_K -> false;
    };
  }

  private void multiplyRows(
      WeightMatrix w, MatmulInput x, int rows, Activations y, int fromGroup, int toGroup) {
    int lanes = Lanes.COUNT;
    int end = toGroup * WeightLayout.GROUP_ROWS;
    for (int first = fromGroup * WeightLayout.GROUP_ROWS; first < end; first += PAIR * lanes) {
      // With 512 bits an odd last group is computed twice.
      int second = first + lanes < end ? first + lanes : first;
      for (int row = 0; row < rows; row++) {
        multiplyRow(w, x, row, weightOffset(w, first), weightOffset(w, second));
        store(w, y, row, first, 0);
        if (second != first) {
          store(w, y, row, second, Lanes.BYTES);
        }
      }
    }
  }

  private void multiplyRow(WeightMatrix w, MatmulInput x, int row, long w0, long w1) {
    MemorySegment data = w.data();
    int blocks = x.blocks();
    MemorySegment values = x.values();
    MemorySegment scales = x.scales();
    long xs = row * x.rowBytes();
    long f = row * x.factorRowBytes();
    long d = x.blockOffset(row, 0);
    long o1 = Lanes.BYTES;
    switch (w.dtype()) {
      case F32 -> OneRowKernels.f32(data, w0, w1, blocks, values, xs, scales, d, results, 0, o1);
      case F16 -> OneRowKernels.f16(data, w0, w1, blocks, values, xs, scales, d, results, 0, o1);
      case BF16 -> OneRowKernels.bf16(data, w0, w1, blocks, values, xs, scales, d, results, 0, o1);
      case Q8_0 ->
          OneRowKernels.q8(data, w0, w1, blocks, x.byteFactors(), f, scales, d, results, 0, o1);
      case Q4_0 ->
          OneRowKernels.q4(
              data, w0, w1, blocks, x.nibbleFactors(), f, scales, x.sums(), d, results, 0, o1);
      case Q4_K, Q5_K, Q6_K -> throw new IllegalStateException(w.dtype() + " has no such kernel");
    }
  }

  private void store(WeightMatrix w, Activations y, int row, int output, long from) {
    long bytes = 4L * Math.min(Lanes.COUNT, w.rows() - output);
    if (bytes > 0) {
      MemorySegment.copy(results, from, y.data(), y.offset(row) + 4L * output, bytes);
    }
  }

  private static long weightOffset(WeightMatrix w, int output) {
    return output / WeightLayout.GROUP_ROWS * w.groupBytes()
        + 4L * (output % WeightLayout.GROUP_ROWS);
  }
}
