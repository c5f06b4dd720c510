package dev.caravan.worker.kernel.scalar;

import dev.caravan.worker.tensor.WeightLayout;
import dev.caravan.worker.tensor.WeightMatrix;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The weights of a small shard unpacked into arrays, each matrix when it is first used. Four bytes
 * a weight: for shards of a few megabytes. Thread-safe.
 */
public final class UnpackedWeights {
  private final Map<WeightMatrix, Unpacked> matrices = new ConcurrentHashMap<>();

  /**
   * A matrix in arrays; lanes are the 16 rows of a group.
   *
   * @param columns padded to whole sums
   * @param quants [groups][columns][16]
   * @param scales [groups][columns / sumColumns][16]
   * @param mins as scales
   */
  @SuppressWarnings("ArrayRecordComponent") // read in hot loops, never compared
  record Unpacked(int columns, float[] quants, float[] scales, float[] mins) {}

  Unpacked of(WeightMatrix matrix) {
    return matrices.computeIfAbsent(matrix, UnpackedWeights::unpack);
  }

  private static Unpacked unpack(WeightMatrix matrix) {
    WeightLayout layout = matrix.layout();
    int columns = WeightLayout.blocks(matrix.columns()) * WeightLayout.BLOCK_COLUMNS;
    int lanes = WeightLayout.GROUP_ROWS;
    int sums = columns / layout.sumColumns();
    float[] quants = new float[matrix.rowGroups() * columns * lanes];
    float[] scales = new float[matrix.rowGroups() * sums * lanes];
    float[] mins = new float[layout.hasMin() ? scales.length : 0];
    for (int group = 0; group < matrix.rowGroups(); group++) {
      MemorySegment data = matrix.group(group);
      for (int k = 0; k < columns; k++) {
        for (int lane = 0; lane < lanes; lane++) {
          quants[(group * columns + k) * lanes + lane] = layout.quant(data, lane, k);
        }
      }
      for (int sum = 0; sum < sums; sum++) {
        for (int lane = 0; lane < lanes; lane++) {
          int index = (group * sums + sum) * lanes + lane;
          scales[index] = layout.scale(data, lane, sum * layout.sumColumns());
          if (layout.hasMin()) {
            mins[index] = layout.min(data, lane, sum * layout.sumColumns());
          }
        }
      }
    }
    return new Unpacked(columns, quants, scales, mins);
  }
}
