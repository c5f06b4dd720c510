package dev.caravan.worker.kernel.simd;

import dev.caravan.model.checkpoint.DType;
import dev.caravan.worker.tensor.Activations;
import dev.caravan.worker.tensor.MatmulInput;
import dev.caravan.worker.tensor.Q4KLayout;
import dev.caravan.worker.tensor.Q4Layout;
import dev.caravan.worker.tensor.Q6KLayout;
import dev.caravan.worker.tensor.Q8Layout;
import dev.caravan.worker.tensor.WeightLayout;
import dev.caravan.worker.tensor.WeightMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Many activation rows times packed weights: blocks of weights are turned into panels of floats
 * once, and every row is multiplied by them while they are in the first-level cache.
 *
 * <p>A unit is the groups that two vectors cover. Scratch memory: a panel [256 columns][rows of a
 * unit], scales and minima [16 sums][rows of a unit], results [units][rows of a chunk][rows of a
 * unit]. Confined to one thread.
 */
final class PanelMatmul {
  private static final int LINE = WeightLayout.LINE_BYTES;
  private static final int UNIT_GROUPS = Math.max(1, 2 * Lanes.COUNT / WeightLayout.GROUP_ROWS);
  private static final int UNITS = 4;
  private static final int TILE_ROWS = MatmulInput.TILE_ROWS;
  private static final int ROW_CHUNK = 24 * TILE_ROWS;
  private static final int BLOCK_CHUNK = 8;
  private static final int MAX_SUMS = 2 * BLOCK_CHUNK;

  /** Bytes of one number for each row of a unit: of a column, a sum, or a row of results. */
  static final int UNIT_ROW_BYTES = UNIT_GROUPS * LINE;

  private static final long BLOCK_PANEL_BYTES = (long) WeightLayout.BLOCK_COLUMNS * UNIT_ROW_BYTES;
  private static final long SCALES = BLOCK_CHUNK * BLOCK_PANEL_BYTES;

  /** From a scale to the minimum of the same sum. */
  private static final long MINS = (long) MAX_SUMS * UNIT_ROW_BYTES;

  private static final long RESULTS = SCALES + 2 * MINS;

  private static final long UNIT_RESULT_BYTES = (long) ROW_CHUNK * UNIT_ROW_BYTES;

  private final MemorySegment scratch;
  private final MemorySegment results;

  private int firstBlock;
  private int sums;
  private int sumColumns;
  private boolean hasMin;
  private long accOffset;
  private final long base;

  PanelMatmul(Arena arena) {
    scratch = arena.allocate(RESULTS + UNITS * UNIT_RESULT_BYTES, LINE);
    results = scratch.asSlice(RESULTS);
    base = scratch.address();
  }

  void multiply(
      WeightMatrix w, MatmulInput x, int rows, Activations y, int fromGroup, int toGroup) {
    if (!w.layout().hasScale()) {
      // Float types are multiplied by 1, which changes no bit.
      for (long at = SCALES; at < SCALES + MINS; at += Float.BYTES) {
        scratch.set(ValueLayout.JAVA_FLOAT, at, 1f);
      }
    }
    sumColumns = w.layout().sumColumns();
    hasMin = w.layout().hasMin();
    for (int row = 0; row < rows; row += ROW_CHUNK) {
      int toRow = Math.min(rows, row + ROW_CHUNK);
      for (int group = fromGroup; group < toGroup; group += UNITS * UNIT_GROUPS) {
        int to = Math.min(toGroup, group + UNITS * UNIT_GROUPS);
        results.fill((byte) 0);
        for (int block = 0; block < x.blocks(); block += BLOCK_CHUNK) {
          multiplyChunk(w, x, block, row, toRow, group, to);
        }
        store(w, y, row, toRow, group, to);
      }
    }
  }

  private void multiplyChunk(
      WeightMatrix w, MatmulInput x, int block, int row, int toRow, int group, int toGroup) {
    int blocks = Math.min(BLOCK_CHUNK, x.blocks() - block);
    firstBlock = block;
    sums = blocks * WeightLayout.BLOCK_COLUMNS / sumColumns;
    accOffset = RESULTS;
    for (int unit = group; unit < toGroup; unit += UNIT_GROUPS) {
      for (int i = 0; i < UNIT_GROUPS; i++) {
        long weights = w.data().address() + Math.min(unit + i, toGroup - 1) * w.groupBytes();
        for (int lane = 0; lane < WeightLayout.GROUP_ROWS; lane += Lanes.COUNT) {
          for (int b = 0; b < blocks; b++) {
            dequantise(w, weights + 4L * lane, block + b, i, lane, b);
          }
        }
      }
      for (long lane = 0; lane < UNIT_ROW_BYTES; lane += 2 * Lanes.BYTES) {
        multiplyTiles(x, row, toRow, lane);
      }
      accOffset += UNIT_RESULT_BYTES;
    }
  }

  private void multiplyTiles(MatmulInput x, int fromRow, int toRow, long lane) {
    int row = fromRow;
    while (toRow - row >= TILE_ROWS / 2) {
      tile(x, row, lane);
      row += TILE_ROWS;
    }
    for (; row < toRow; row++) {
      row(x, row, lane);
    }
  }

  private void store(WeightMatrix w, Activations y, int row, int toRow, int group, int toGroup) {
    for (int g = group; g < toGroup; g++) {
      int unit = (g - group) / UNIT_GROUPS;
      int first = g * WeightLayout.GROUP_ROWS;
      long bytes = 4L * Math.min(WeightLayout.GROUP_ROWS, w.rows() - first);
      long from = RESULTS + unit * UNIT_RESULT_BYTES + (long) ((g - group) % UNIT_GROUPS) * LINE;
      for (int r = row; r < toRow; r++) {
        long at = from + (r - row) * UNIT_ROW_BYTES;
        MemorySegment.copy(scratch, at, y.data(), y.offset(r) + 4L * first, bytes);
      }
    }
  }

  /**
   * Fills the panel, scales and minima of one block for one vector of rows.
   *
   * @param weights address of the group and lane
   * @param block of the matrix
   * @param group of the unit
   * @param slot of the block in the chunk
   */
  private void dequantise(WeightMatrix w, long weights, int block, int group, int lane, int slot) {
    long at = base + (long) group * LINE + 4L * lane;
    long panel = at + slot * BLOCK_PANEL_BYTES;
    long scales = at + SCALES;
    long scale = scales + (long) slot * UNIT_ROW_BYTES;
    int half = block & 1;
    switch (w.dtype()) {
      case F32 -> Panels.f32(weights + block * 32L * LINE, panel);
      case F16 -> Panels.f16(weights + block * 16L * LINE, panel);
      case BF16 -> Panels.bf16(weights + block * 16L * LINE, panel);
      case Q8_0 -> {
        long tile = weights + (long) (block >> 1) * Q8Layout.TILE_BYTES;
        long lines = tile + Q8Layout.LINES_OFFSET + (long) half * Q8Layout.BLOCK_LINES_BYTES;
        Panels.bytes(lines, panel);
        Panels.halfScale(tile, 16 - 16 * half, scale);
      }
      case Q4_0 -> {
        long tile = weights + (long) (block >> 1) * Q4Layout.TILE_BYTES;
        long lines = tile + Q4Layout.LINES_OFFSET + (long) half * Q4Layout.BLOCK_LINES_BYTES;
        Panels.nibbles(lines, 8, panel);
        Panels.halfScale(tile, 16 - 16 * half, scale);
      }
      case Q4_K, Q5_K -> dequantiseQ4K(w, weights, block, panel, scale);
      case Q6_K -> {
        long tile = weights + (long) (block >> 3) * Q6KLayout.TILE_BYTES;
        int in = block & 7;
        Panels.sixBits(tile + Q6KLayout.BLOCKS_OFFSET + (long) in * Q6KLayout.BLOCK_BYTES, panel);
        long line = tile + Q6KLayout.SCALES_OFFSET + (long) (in >> 1) * LINE;
        int up = 24 - 16 * (in & 1);
        long two = scales + 2L * slot * UNIT_ROW_BYTES;
        Panels.productScale(tile, 16, line, up, true, two);
        Panels.productScale(tile, 16, line, up - 8, true, two + UNIT_ROW_BYTES);
      }
    }
  }

  private void dequantiseQ4K(WeightMatrix w, long weights, int block, long panel, long scale) {
    boolean fiveBits = w.dtype() == DType.Q5_K;
    Q4KLayout layout = (Q4KLayout) w.layout();
    long tile = weights + (long) (block >> 3) * layout.tileBytes();
    int in = block & 7;
    long lines = tile + Q4KLayout.BLOCKS_OFFSET + (long) in * layout.blockBytes();
    if (fiveBits) {
      Panels.fiveBits(lines, panel);
    } else {
      Panels.nibbles(lines, 0, panel);
    }
    Panels.q4kScales(tile, in, scale, scale + MINS);
  }

  /** Four rows, the last ones perhaps beyond the batch: their results are never read. */
  private void tile(MatmulInput x, int row, long lane) {
    long panel = base + lane;
    long xs = x.tiles().address() + x.tileOffset(row, firstBlock * WeightLayout.BLOCK_COLUMNS);
    long c = base + SCALES + lane;
    long d = x.scales().address() + x.blockOffset(row, firstBlock);
    long next = x.blockOffset(1, 0);
    long to = base + accOffset + (long) (row % ROW_CHUNK) * UNIT_ROW_BYTES + lane;
    if (hasMin) {
      long n = x.sums().address() + x.blockOffset(row, firstBlock);
      TileKernels.fourRowsWithMin(panel, sums, sumColumns, xs, c, MINS, d, n, next, to);
    } else {
      TileKernels.fourRows(panel, sums, sumColumns, xs, c, d, next, to);
    }
  }

  private void row(MatmulInput x, int row, long lane) {
    long panel = base + lane;
    long xs =
        x.values().address()
            + row * x.rowBytes()
            + firstBlock * (long) WeightLayout.BLOCK_COLUMNS * Float.BYTES;
    long c = base + SCALES + lane;
    long d = x.scales().address() + x.blockOffset(row, firstBlock);
    long to = base + accOffset + (long) (row % ROW_CHUNK) * UNIT_ROW_BYTES + lane;
    if (hasMin) {
      long n = x.sums().address() + x.blockOffset(row, firstBlock);
      TileKernels.oneRowWithMin(panel, sums, sumColumns, xs, c, MINS, d, n, 0, to);
    } else {
      TileKernels.oneRow(panel, sums, sumColumns, xs, c, d, 0, to);
    }
  }
}
