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

  /** Groups that are read side by side, each at the head of a stream without jumps. */
  private static final int STREAMS = Math.max(1, OUTPUTS / GROUP);

  private final MemorySegment results;

  NibbleRowsMatmul(Arena arena) {
    results = arena.allocate(ROW_CHUNK * ROW_BYTES, WeightLayout.LINE_BYTES);
  }

  void multiply(
      WeightMatrix w, MatmulInput x, int rows, Activations y, int fromGroup, int toGroup) {
    int length = Math.ceilDiv(toGroup - fromGroup, STREAMS);
    for (int row = 0; row < rows; row += ROW_CHUNK) {
      int toRow = Math.min(rows, row + ROW_CHUNK);
      for (int group = fromGroup; group < fromGroup + length; group++) {
        for (int lane = 0; lane < GROUP; lane += OUTPUTS) {
          // An odd last group is computed twice.
          boolean pair = STREAMS == 2 && group + length < toGroup;
          long weights = w.data().address() + group * w.groupBytes() + 4L * lane;
          multiply(weights, pair ? length * w.groupBytes() : 0, x, row, toRow);
          store(w, y, row, toRow, group * GROUP + lane, 0);
          if (pair) {
            store(w, y, row, toRow, (group + length) * GROUP, Lanes.BYTES);
          }
        }
      }
    }
  }

  /**
   * Multiplies by two vectors of weight rows.
   *
   * @param next from the first vector to the second, with 512 bits
   */
  private void multiply(long weights, long next, MatmulInput x, int row, int toRow) {
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

  private void store(WeightMatrix w, Activations y, int row, int toRow, int first, int fromOffset) {
    long bytes = 4L * Math.min(Math.min(OUTPUTS, GROUP), w.rows() - first);
    if (bytes <= 0) {
      return;
    }
    for (int r = row; r < toRow; r++) {
      long from = (r - row) * ROW_BYTES + fromOffset;
      MemorySegment.copy(results, from, y.data(), y.offset(r) + 4L * first, bytes);
    }
  }
}
