package dev.caravan.worker.kernel.simd;

import dev.caravan.model.checkpoint.DType;
import dev.caravan.worker.tensor.Activations;
import dev.caravan.worker.tensor.MatmulInput;
import dev.caravan.worker.tensor.Q4KLayout;
import dev.caravan.worker.tensor.Q4Layout;
import dev.caravan.worker.tensor.WeightLayout;
import dev.caravan.worker.tensor.WeightMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Several int8 rows times Q4_0 or Q4_K weights, in integers: no weight is turned into a float.
 *
 * <p>Eight vectors of weight rows, a few blocks long, stay in the first-level cache as {@link
 * NibblePanels} while all activation rows of a chunk pass. Scratch: a panel, its scales and minima
 * [blocks of a chunk][8 vectors], results [rows of a chunk][8 vectors]. Confined to one thread.
 */
final class NibblePanelMatmul {
  private static final int ROW_CHUNK = 128;
  private static final int PANEL_BYTES = 16 << 10;
  private static final int ROW = NibblePanels.ROW;
  private static final int BLOCK_PANEL_BYTES = NibblePanels.PAIRS * ROW;
  private static final int BLOCK_CHUNK = PANEL_BYTES / BLOCK_PANEL_BYTES;
  private static final long SCALES = PANEL_BYTES;

  /** From a scale to the minimum of the same block. */
  private static final long MINS = (long) BLOCK_CHUNK * ROW;

  private static final long RESULTS = SCALES + 2 * MINS;
  private static final int OUTPUTS = NibblePanels.OUTPUTS;
  private static final int GROUP = WeightLayout.GROUP_ROWS;

  private final MemorySegment scratch;
  private final MemorySegment results;
  private final long base;

  NibblePanelMatmul(Arena arena) {
    scratch = arena.allocate(RESULTS + ROW_CHUNK * (long) ROW, WeightLayout.LINE_BYTES);
    results = scratch.asSlice(RESULTS);
    base = scratch.address();
  }

  void multiply(
      WeightMatrix w, MatmulInput x, int rows, Activations y, int fromGroup, int toGroup) {
    int end = toGroup * GROUP;
    for (int row = 0; row < rows; row += ROW_CHUNK) {
      int toRow = Math.min(rows, row + ROW_CHUNK);
      for (int first = fromGroup * GROUP; first < end; first += OUTPUTS) {
        results.fill((byte) 0);
        for (int block = 0; block < x.blocks(); block += BLOCK_CHUNK) {
          int blocks = Math.min(BLOCK_CHUNK, x.blocks() - block);
          fill(w, block, blocks, first, end);
          multiply(w, x, row, toRow, block, blocks);
        }
        store(w, y, row, toRow, first, end);
      }
    }
  }

  /** Fills the panel; vectors beyond the end repeat the last group, and nobody reads them. */
  private void fill(WeightMatrix w, int block, int blocks, int first, int end) {
    for (int v = 0; v < NibblePanels.VECTORS; v++) {
      int output = first + v * Lanes.COUNT;
      int group = Math.min(output, end - 1) / GROUP;
      long weights = w.data().address() + group * w.groupBytes() + 4L * (output % GROUP);
      long panel = base + (long) v * Lanes.BYTES;
      if (w.dtype() == DType.Q4_0) {
        fillQ4(weights, block, blocks, panel);
      } else {
        fillQ4K((Q4KLayout) w.layout(), weights, block, blocks, panel);
      }
    }
  }

  /** A chunk is a whole number of tiles, or lies in one. */
  private static void fillQ4(long weights, int block, int blocks, long panel) {
    for (int slot = 0; slot < blocks; slot += 2) {
      long tile = weights + (long) ((block + slot) >> 1) * Q4Layout.TILE_BYTES;
      int count = Math.min(2, blocks - slot);
      long scale = panel + SCALES + (long) slot * ROW;
      NibblePanels.fill(
          tile + Q4Layout.LINES_OFFSET, count, panel + (long) slot * BLOCK_PANEL_BYTES);
      Panels.halfScale(tile, 16, scale);
      Panels.halfScale(tile, 0, scale + ROW);
    }
  }

  private static void fillQ4K(Q4KLayout layout, long weights, int block, int blocks, long panel) {
    long tile = weights + (long) (block >> 3) * layout.tileBytes();
    int in = block & 7;
    long lines = tile + Q4KLayout.BLOCKS_OFFSET + (long) in * layout.blockBytes();
    NibblePanels.fill(lines, blocks, panel);
    for (int slot = 0; slot < blocks; slot++) {
      long scale = panel + SCALES + (long) slot * ROW;
      Panels.q4kScales(tile, in + slot, scale, scale + MINS);
    }
  }

  private void multiply(WeightMatrix w, MatmulInput x, int row, int toRow, int block, int blocks) {
    boolean hasMin = w.layout().hasMin();
    for (int r = row; r < toRow; r++) {
      long factors = x.nibbleFactors().address() + r * x.factorRowBytes() + block * 64L;
      long blockOffset = x.blockOffset(r, block);
      long d = x.scales().address() + blockOffset;
      long scales = base + SCALES;
      long to = results.address() + (long) (r - row) * ROW;
      if (hasMin) {
        long sums = x.sums().address() + blockOffset;
        NibblePanels.multiplyWithMin(base, blocks, factors, scales, MINS, d, sums, to);
      } else {
        long zeroPoints = x.zeroPoints().address() + blockOffset;
        NibblePanels.multiply(base, blocks, factors, scales, d, zeroPoints, to);
      }
    }
  }

  private void store(WeightMatrix w, Activations y, int row, int toRow, int first, int end) {
    long bytes = 4L * Math.min(Math.min(OUTPUTS, end - first), w.rows() - first);
    for (int r = row; r < toRow; r++) {
      long from = (long) (r - row) * ROW;
      MemorySegment.copy(results, from, y.data(), y.offset(r) + 4L * first, bytes);
    }
  }
}
