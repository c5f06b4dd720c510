package dev.caravan.worker.kernel.simd;

import dev.caravan.worker.tensor.Activations;
import dev.caravan.worker.tensor.MatmulInput;
import dev.caravan.worker.tensor.WeightLayout;
import dev.caravan.worker.tensor.WeightMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Int8 rows times Q4_0 weights, in integers: with 16-bit lanes twice the products of floats fit an
 * instruction, and no weight is turned into a float.
 *
 * <p>Two vectors of weight rows, 64 blocks long, stay in a near cache while all activation rows
 * pass, four or two at a time. Scratch: results [rows of a chunk][2 vectors]. Confined to one
 * thread.
 */
final class NibbleRowsMatmul {
  /** AVX-512 has 32 registers; with 16 the sums of four rows would lie on the stack. */
  static final boolean FOUR_ROWS = Lanes.BITS == 512;

  private static final int BLOCK_CHUNK = 64;
  private static final int ROW_CHUNK = 128;
  private static final int OUTPUTS = 2 * Lanes.COUNT;
  private static final long ROW_BYTES = 2L * Lanes.BYTES;
  private static final int GROUP = WeightLayout.GROUP_ROWS;

  private final MemorySegment results;

  NibbleRowsMatmul(Arena arena) {
    results = arena.allocate(ROW_CHUNK * ROW_BYTES, WeightLayout.LINE_BYTES);
  }

  void multiply(
      WeightMatrix w, MatmulInput x, int rows, Activations y, int fromGroup, int toGroup) {
    int end = toGroup * GROUP;
    for (int row = 0; row < rows; row += ROW_CHUNK) {
      int toRow = Math.min(rows, row + ROW_CHUNK);
      for (int first = fromGroup * GROUP; first < end; first += OUTPUTS) {
        multiply(w, x, row, toRow, first, end);
        store(w, y, row, toRow, first, end);
      }
    }
  }

  private void multiply(WeightMatrix w, MatmulInput x, int row, int toRow, int first, int end) {
    long weights = w.data().address() + first / GROUP * w.groupBytes() + 4L * (first % GROUP);
    // With 512 bits an odd last group is computed twice.
    long next = first + Lanes.COUNT < end ? w.groupBytes() : 0;
    results.asSlice(0, (toRow - row) * ROW_BYTES).fill((byte) 0);
    for (int block = 0; block < x.blocks(); block += BLOCK_CHUNK) {
      int toBlock = Math.min(block + BLOCK_CHUNK, x.blocks());
      int r = row;
      for (; FOUR_ROWS && r + 4 <= toRow; r += 4) {
        NibbleRows.fourRows(
            weights,
            next,
            block,
            toBlock,
            x.nibbleFactors().address() + r * x.factorRowBytes(),
            x.factorRowBytes(),
            x.scales().address() + x.blockOffset(r, 0),
            x.zeroPoints().address() + x.blockOffset(r, 0),
            x.blockOffset(1, 0),
            results.address() + (r - row) * ROW_BYTES);
      }
      for (; r < toRow; r += 2) {
        boolean pair = r + 1 < toRow;
        NibbleRows.twoRows(
            weights,
            next,
            block,
            toBlock,
            x.nibbleFactors().address() + r * x.factorRowBytes(),
            pair ? x.factorRowBytes() : 0,
            x.scales().address() + x.blockOffset(r, 0),
            x.zeroPoints().address() + x.blockOffset(r, 0),
            pair ? x.blockOffset(1, 0) : 0,
            results.address() + (r - row) * ROW_BYTES);
      }
    }
  }

  private void store(WeightMatrix w, Activations y, int row, int toRow, int first, int end) {
    long bytes = 4L * Math.min(Math.min(OUTPUTS, end - first), w.rows() - first);
    if (bytes <= 0) {
      return;
    }
    for (int r = row; r < toRow; r++) {
      long from = (r - row) * ROW_BYTES;
      MemorySegment.copy(results, from, y.data(), y.offset(r) + 4L * first, bytes);
    }
  }
}
