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
 * <p>Scratch memory: panels [groups of a unit][256 columns][16 rows], scales and minima [groups of
 * a unit][16 sums][16 rows], results [units][rows of a chunk][groups of a unit][16 rows]. A unit is
 * the groups that two vectors cover. Confined to one thread. The two tile methods are long and flat
 * because the compiler boxes vectors that cross a call it does not inline.
 */
final class PanelMatmul {
  private static final int LINE = WeightLayout.LINE_BYTES;
  private static final int UNIT_GROUPS = Math.max(1, 2 * Lanes.COUNT / WeightLayout.GROUP_ROWS);
  private static final int UNITS = 4;
  private static final int TILE_ROWS = MatmulInput.TILE_ROWS;
  private static final int ROW_CHUNK = 16 * TILE_ROWS;
  private static final int BLOCK_CHUNK = 8;
  private static final int MAX_SUMS = 2 * BLOCK_CHUNK;

  private static final long BLOCK_PANEL_BYTES = (long) WeightLayout.BLOCK_COLUMNS * LINE;
  private static final long GROUP_PANEL_BYTES = BLOCK_CHUNK * BLOCK_PANEL_BYTES;
  private static final long GROUP_SCALES_BYTES = (long) MAX_SUMS * LINE;
  private static final long SCALES = UNIT_GROUPS * GROUP_PANEL_BYTES;

  /** From a scale to the minimum of the same sum. */
  private static final long MINS = UNIT_GROUPS * GROUP_SCALES_BYTES;

  private static final long SUMS = SCALES + 2 * MINS;
  private static final long SUMS_BYTES = (long) TILE_ROWS * 2 * LINE;
  private static final long RESULTS = SUMS + SUMS_BYTES;
  private static final long ACC_ROW_BYTES = (long) UNIT_GROUPS * LINE;
  private static final long UNIT_RESULT_BYTES = ROW_CHUNK * ACC_ROW_BYTES;

  private final MemorySegment scratch;
  private final MemorySegment results;

  private int firstBlock;
  private int sums;
  private int sumColumns;
  private boolean hasMin;
  private long accOffset;

  PanelMatmul(Arena arena) {
    scratch = arena.allocate(RESULTS + UNITS * UNIT_RESULT_BYTES, LINE);
    results = scratch.asSlice(RESULTS);
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
        long weights = Math.min(unit + i, toGroup - 1) * w.groupBytes();
        for (int lane = 0; lane < WeightLayout.GROUP_ROWS; lane += Lanes.COUNT) {
          for (int b = 0; b < blocks; b++) {
            dequantise(w, weights + 4L * lane, block + b, i, lane, b);
          }
        }
      }
      for (long lane = 0; lane < ACC_ROW_BYTES; lane += 2 * Lanes.BYTES) {
        multiplyTiles(x, row, toRow, lane, lane + Lanes.BYTES);
      }
      accOffset += UNIT_RESULT_BYTES;
    }
  }

  private void multiplyTiles(MatmulInput x, int fromRow, int toRow, long lane0, long lane1) {
    int row = fromRow;
    while (toRow - row >= TILE_ROWS / 2) {
      tile6(x, row, toRow, lane0, lane1);
      row += TILE_ROWS;
    }
    for (; row < toRow; row++) {
      tile1(x, row, lane0, lane1);
    }
  }

  private void store(WeightMatrix w, Activations y, int row, int toRow, int group, int toGroup) {
    for (int g = group; g < toGroup; g++) {
      int unit = (g - group) / UNIT_GROUPS;
      int first = g * WeightLayout.GROUP_ROWS;
      long bytes = 4L * Math.min(WeightLayout.GROUP_ROWS, w.rows() - first);
      long from = RESULTS + unit * UNIT_RESULT_BYTES + (long) ((g - group) % UNIT_GROUPS) * LINE;
      for (int r = row; r < toRow; r++) {
        long at = from + (r - row) * ACC_ROW_BYTES;
        MemorySegment.copy(scratch, at, y.data(), y.offset(r) + 4L * first, bytes);
      }
    }
  }

  /** Byte offset of a vector's panel: a lane's offset spans the groups of the unit. */
  private static long panelOffset(long lane) {
    return lane / LINE * GROUP_PANEL_BYTES + lane % LINE;
  }

  private static long scalesOffset(long lane) {
    return SCALES + lane / LINE * GROUP_SCALES_BYTES + lane % LINE;
  }

  /**
   * Fills the panel, scales and minima of one block for one vector of rows.
   *
   * @param weights byte offset of the group and lane
   * @param block of the matrix
   * @param group of the unit
   * @param slot of the block in the chunk
   */
  private void dequantise(WeightMatrix w, long weights, int block, int group, int lane, int slot) {
    MemorySegment data = w.data();
    long panel = group * GROUP_PANEL_BYTES + slot * BLOCK_PANEL_BYTES + 4L * lane;
    long scales = SCALES + group * GROUP_SCALES_BYTES + 4L * lane;
    long scale = scales + (long) slot * LINE;
    int half = block & 1;
    switch (w.dtype()) {
      case F32 -> Panels.f32(data, weights + block * 32L * LINE, scratch, panel);
      case F16 -> Panels.f16(data, weights + block * 16L * LINE, scratch, panel);
      case BF16 -> Panels.bf16(data, weights + block * 16L * LINE, scratch, panel);
      case Q8_0 -> {
        long tile = weights + (long) (block >> 1) * Q8Layout.TILE_BYTES;
        long lines = tile + Q8Layout.LINES_OFFSET + (long) half * Q8Layout.BLOCK_LINES_BYTES;
        Panels.bytes(data, lines, scratch, panel);
        Panels.halfScale(data, tile, 16 - 16 * half, scratch, scale);
      }
      case Q4_0 -> {
        long tile = weights + (long) (block >> 1) * Q4Layout.TILE_BYTES;
        long lines = tile + Q4Layout.LINES_OFFSET + (long) half * Q4Layout.BLOCK_LINES_BYTES;
        Panels.nibbles(data, lines, 8, scratch, panel);
        Panels.halfScale(data, tile, 16 - 16 * half, scratch, scale);
      }
      case Q4_K, Q5_K -> dequantiseQ4K(w, weights, block, panel, scale);
      case Q6_K -> {
        long tile = weights + (long) (block >> 3) * Q6KLayout.TILE_BYTES;
        int in = block & 7;
        Panels.sixBits(
            data,
            tile + Q6KLayout.BLOCKS_OFFSET + (long) in * Q6KLayout.BLOCK_BYTES,
            scratch,
            panel);
        long line = tile + Q6KLayout.SCALES_OFFSET + (long) (in >> 1) * LINE;
        int up = 24 - 16 * (in & 1);
        long two = scales + 2L * slot * LINE;
        Panels.productScale(data, tile, 16, line, up, true, scratch, two);
        Panels.productScale(data, tile, 16, line, up - 8, true, scratch, two + LINE);
      }
    }
  }

  private void dequantiseQ4K(WeightMatrix w, long weights, int block, long panel, long scale) {
    MemorySegment data = w.data();
    boolean fiveBits = w.dtype() == DType.Q5_K;
    Q4KLayout layout = (Q4KLayout) w.layout();
    long tile = weights + (long) (block >> 3) * layout.tileBytes();
    int in = block & 7;
    long lines = tile + Q4KLayout.BLOCKS_OFFSET + (long) in * layout.blockBytes();
    if (fiveBits) {
      Panels.fiveBits(data, lines, scratch, panel);
    } else {
      Panels.nibbles(data, lines, 0, scratch, panel);
    }
    long line = tile + Q4KLayout.SCALES_OFFSET + (long) (in >> 1) * LINE;
    int up = 24 - 16 * (in & 1);
    Panels.productScale(data, tile, 16, line, up, false, scratch, scale);
    Panels.productScale(data, tile, 0, line, up - 8, false, scratch, scale + MINS);
  }

  /** Multiplies and flushes sum by sum. */
  private void tile6(MatmulInput x, int row, int toRow, long lane0, long lane1) {
    long x0 = x.tileOffset(row, firstBlock * WeightLayout.BLOCK_COLUMNS);
    int rows = Math.min(TILE_ROWS, toRow - row);
    for (int sum = 0; sum < sums; sum++) {
      long step = (long) sum * sumColumns;
      long p0 = panelOffset(lane0) + step * LINE;
      long p1 = panelOffset(lane1) + step * LINE;
      long xk = x0 + step * TILE_ROWS * Float.BYTES;
      TileKernels.sixRows(scratch, p0, p1, x.tiles(), xk, sumColumns, SUMS);
      flush(x, row, rows, sum, lane0, lane1);
    }
  }

  /** One row: the last ones of a batch, and types without a kernel of their own. */
  private void tile1(MatmulInput x, int row, long lane0, long lane1) {
    long x0 = valuesOffset(x, row);
    for (int sum = 0; sum < sums; sum++) {
      long step = (long) sum * sumColumns;
      long p0 = panelOffset(lane0) + step * LINE;
      long p1 = panelOffset(lane1) + step * LINE;
      TileKernels.oneRow(scratch, p0, p1, x.values(), x0 + step * Float.BYTES, sumColumns, SUMS);
      flush(x, row, 1, sum, lane0, lane1);
    }
  }

  private void flush(MatmulInput x, int row, int rows, int sum, long lane0, long lane1) {
    long c0 = scalesOffset(lane0) + (long) sum * LINE;
    long c1 = scalesOffset(lane1) + (long) sum * LINE;
    int block = firstBlock + sum * sumColumns / WeightLayout.BLOCK_COLUMNS;
    long acc = accOffset + (row % ROW_CHUNK) * ACC_ROW_BYTES;
    long at = x.blockOffset(row, block);
    long step = x.blockOffset(1, 0);
    long a0 = acc + lane0;
    long a1 = acc + lane1;
    if (hasMin) {
      MemorySegment sumsOfX = x.sums();
      TileKernels.flush(
          scratch, SUMS, c0, c1, MINS, x.scales(), sumsOfX, at, step, rows, a0, a1, ACC_ROW_BYTES);
    } else {
      TileKernels.flush(scratch, SUMS, c0, c1, x.scales(), at, step, rows, a0, a1, ACC_ROW_BYTES);
    }
  }

  private long valuesOffset(MatmulInput x, int row) {
    return row * x.rowBytes() + firstBlock * (long) WeightLayout.BLOCK_COLUMNS * Float.BYTES;
  }
}
