package dev.caravan.bench.kernel;

import dev.caravan.model.checkpoint.DType;
import dev.caravan.model.checkpoint.RandomBlocks;
import dev.caravan.worker.compute.ComputePool;
import dev.caravan.worker.tensor.WeightMatrix;
import dev.caravan.worker.tensor.WeightMemory;
import dev.caravan.worker.tensor.WeightPacker;
import dev.caravan.worker.tensor.WeightSlice;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Matrices of one type, more of them than fit into any cache: used in turn, each product reads its
 * weights from memory. Confined to one thread.
 */
final class WeightSet {
  private final List<WeightMatrix> matrices;
  private int next;

  private WeightSet(List<WeightMatrix> matrices) {
    this.matrices = matrices;
  }

  /**
   * Makes random matrices; all hold the same numbers, each in memory of its own.
   *
   * @param bytes least packed bytes of all together
   */
  static WeightSet random(
      Arena arena, ComputePool pool, DType dtype, MatrixShape shape, long bytes) {
    int rowBytes = Math.toIntExact(dtype.bytes(shape.columns()));
    byte[] row = new byte[rowBytes];
    new RandomBlocks(dtype, 1 / Math.sqrt(shape.columns())).fill(row, rowBytes, 1);
    WeightSlice slice =
        new WeightSlice(
            "random",
            dtype,
            shape.rows(),
            shape.columns(),
            MemorySegment.ofArray(row),
            0,
            0,
            any -> 0);
    long matrixBytes = WeightMatrix.bytes(dtype, shape.rows(), shape.columns());
    long count = Math.ceilDiv(bytes, matrixBytes);
    WeightMemory memory = WeightMemory.reserve(arena, count * matrixBytes);
    List<WeightMatrix> matrices = new ArrayList<>();
    while (matrices.size() < count) {
      WeightMatrix matrix = WeightPacker.allocate(memory, dtype, shape.rows(), shape.columns());
      if (matrices.isEmpty()) {
        pool.run(
            matrix.rowGroups(),
            (group, thread) -> WeightPacker.pack(slice, matrix, group, group + 1));
      } else {
        matrix.data().copyFrom(matrices.getFirst().data());
      }
      matrices.add(matrix);
    }
    return new WeightSet(matrices);
  }

  /** Returns the matrix whose turn it is: the one that was used longest ago. */
  WeightMatrix next() {
    WeightMatrix matrix = matrices.get(next);
    next = (next + 1) % matrices.size();
    return matrix;
  }

  /** Packed bytes of one matrix. */
  long matrixBytes() {
    return matrices.getFirst().bytes();
  }
}
