package dev.caravan.worker.kernel.scalar;

import dev.caravan.worker.kernel.AttentionHead;
import dev.caravan.worker.kernel.Exponential;
import dev.caravan.worker.kernel.KernelLimits;
import dev.caravan.worker.kernel.LaneSum;
import dev.caravan.worker.kvcache.PagedKvCache;
import dev.caravan.worker.tensor.Activations;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/** Specification of attention. Confined to one thread: owns the scores. */
final class ScalarAttention {
  private static final int BLOCK = PagedKvCache.BLOCK_POSITIONS;

  private final float[] scores;
  private final float[] lanes = new float[LaneSum.LANES];
  private final float[] chunk = new float[LaneSum.LANES];

  ScalarAttention(KernelLimits limits) {
    this.scores = new float[limits.positions()];
  }

  void attend(Activations q, Activations out, int row, AttentionHead head, int queryHead) {
    int headDim = head.cache().shape().headDim();
    int firstColumn = queryHead * headDim;
    float scale = (float) (1 / Math.sqrt(headDim));
    float max = Float.NEGATIVE_INFINITY;
    for (int position = 0; position < head.positions(); position++) {
      float sum = 0f;
      for (int d = 0; d < headDim; d++) {
        sum = Math.fma(q.get(row, firstColumn + d), key(head, position, d), sum);
      }
      scores[position] = sum * scale;
      max = Math.max(max, scores[position]);
    }
    for (int position = 0; position < head.positions(); position++) {
      scores[position] = Exponential.exp(scores[position] - max);
    }
    float inverse = 1f / sumOfScores(head.positions());
    for (int d = 0; d < headDim; d++) {
      out.set(row, firstColumn + d, weightedValue(head, d) * inverse);
    }
  }

  private float sumOfScores(int positions) {
    Arrays.fill(lanes, 0f);
    for (int start = 0; start < positions; start += LaneSum.CHUNK) {
      Arrays.fill(chunk, 0f);
      for (int i = start; i < Math.min(positions, start + LaneSum.CHUNK); i++) {
        chunk[i % LaneSum.LANES] += scores[i];
      }
      for (int lane = 0; lane < LaneSum.LANES; lane++) {
        lanes[lane] += chunk[lane];
      }
    }
    return LaneSum.fold(lanes);
  }

  /** Sums each block of 16 positions from zero, then the blocks: long histories stay accurate. */
  private float weightedValue(AttentionHead head, int d) {
    float total = 0f;
    for (int start = 0; start < head.positions(); start += BLOCK) {
      float sum = 0f;
      for (int p = start; p < Math.min(head.positions(), start + BLOCK); p++) {
        sum = Math.fma(scores[p], value(head, p, d), sum);
      }
      total += sum;
    }
    return total;
  }

  private static float key(AttentionHead head, int position, int d) {
    PagedKvCache cache = head.cache();
    int block = head.blocks()[position / BLOCK];
    int slot = position % BLOCK;
    MemorySegment slab = cache.slab(head.layer(), block);
    long keys = cache.keyOffset(block, head.kvHead());
    return switch (cache.shape().type()) {
      case F32 -> slab.get(ValueLayout.JAVA_FLOAT, keys + 4L * (d * BLOCK + slot));
      case F16 -> half(slab, keys + 4L * ((d >> 1) * BLOCK + slot) + 2L * (d & 1));
    };
  }

  private static float value(AttentionHead head, int position, int d) {
    PagedKvCache cache = head.cache();
    int block = head.blocks()[position / BLOCK];
    int slot = position % BLOCK;
    int dim = cache.paddedHeadDim();
    MemorySegment slab = cache.slab(head.layer(), block);
    long values = cache.valueOffset(block, head.kvHead());
    return switch (cache.shape().type()) {
      case F32 -> slab.get(ValueLayout.JAVA_FLOAT, values + 4L * (slot * dim + d));
      case F16 -> half(slab, values + 4L * ((slot >> 1) * dim + d) + 2L * (slot & 1));
    };
  }

  /**
   * Reads what the cache wrote. Bits that would mean infinity or not a number read as numbers from
   * 65536 on, as the vector kernels read them: a row that wrote such bits is lost already.
   */
  private static float half(MemorySegment slab, long offset) {
    int bits = slab.get(ValueLayout.JAVA_SHORT, offset) << 16;
    return Float.intBitsToFloat(bits >> 3 & 0x8fffe000) * 0x1p112f;
  }
}
