package dev.caravan.worker.kernel.scalar;

import dev.caravan.worker.kernel.AttentionHead;
import dev.caravan.worker.kernel.AttentionParts;
import dev.caravan.worker.kernel.AttentionRows;
import dev.caravan.worker.kernel.Exponential;
import dev.caravan.worker.kernel.KernelLimits;
import dev.caravan.worker.kernel.LaneSum;
import dev.caravan.worker.kvcache.PagedKvCache;
import dev.caravan.worker.tensor.Activations;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/** Specification of attention. Confined to one thread: owns the weights and two records. */
final class ScalarAttention {
  private static final int BLOCK = PagedKvCache.BLOCK_POSITIONS;

  private final AttentionParts own;
  private final float[] weights = new float[AttentionRows.RANGE];
  private final float[] lanes = new float[LaneSum.LANES];
  private final float[] chunk = new float[LaneSum.LANES];

  ScalarAttention(KernelLimits limits) {
    this.own = new AttentionParts(Arena.ofAuto(), 1, 2, 1, limits.headDim());
  }

  void attend(Activations q, Activations out, AttentionHead head, AttentionRows rows) {
    long total = own.offset(0, 0);
    long next = own.offset(0, 1);
    for (int row = rows.fromRow(); row < rows.toRow(); row++) {
      for (int queryHead = head.fromHead(); queryHead < head.toHead(); queryHead++) {
        record(q, row, queryHead, head, rows, 0, own, total);
        for (int range = 1; rows.positions(row, range) > 0; range++) {
          record(q, row, queryHead, head, rows, range, own, next);
          add(own, total, next, head);
        }
        store(own, total, out, row, queryHead, head);
      }
    }
  }

  void range(
      Activations q, AttentionParts parts, AttentionHead head, AttentionRows rows, int range) {
    long record = parts.offset(head.kvHead(), rows.part(range));
    for (int row = rows.fromRow(); row < rows.toRow(); row++) {
      for (int queryHead = head.fromHead(); queryHead < head.toHead(); queryHead++) {
        if (rows.positions(row, range) > 0) {
          record(q, row, queryHead, head, rows, range, parts, record);
        }
        record += parts.recordBytes();
      }
    }
  }

  void combine(AttentionParts parts, Activations out, AttentionHead head, AttentionRows rows) {
    long at = 0;
    for (int row = rows.fromRow(); row < rows.toRow(); row++) {
      for (int queryHead = head.fromHead(); queryHead < head.toHead(); queryHead++) {
        long total = parts.offset(head.kvHead(), rows.part(0)) + at;
        for (int range = 1; rows.positions(row, range) > 0; range++) {
          add(parts, total, parts.offset(head.kvHead(), rows.part(range)) + at, head);
        }
        store(parts, total, out, row, queryHead, head);
        at += parts.recordBytes();
      }
    }
  }

  /** Computes what a range contributes to a row's query head. */
  private void record(
      Activations q,
      int row,
      int queryHead,
      AttentionHead head,
      AttentionRows rows,
      int range,
      AttentionParts parts,
      long record) {
    int headDim = head.cache().shape().headDim();
    int start = range * AttentionRows.RANGE;
    int positions = rows.positions(row, range);
    float scale = (float) (1 / Math.sqrt(headDim));
    float max = Float.NEGATIVE_INFINITY;
    for (int p = 0; p < positions; p++) {
      float score = 0f;
      for (int d = 0; d < headDim; d++) {
        float number = key(head, rows.blocks(), start + p, d);
        score = Math.fma(q.get(row, queryHead * headDim + d), number, score);
      }
      weights[p] = score * scale;
      max = Math.max(max, weights[p]);
    }
    for (int p = 0; p < positions; p++) {
      weights[p] = Exponential.exp(weights[p] - max);
    }
    parts.set(record, max, sumOfWeights(positions));
    for (int d = 0; d < headDim; d++) {
      set(parts, record, d, weightedValue(head, rows.blocks(), start, positions, d));
    }
  }

  /** Adds what a range contributes to what all ranges before it do. */
  private static void add(AttentionParts parts, long total, long record, AttentionHead head) {
    float max = Math.max(parts.max(total), parts.max(record));
    float a = Exponential.exp(parts.max(total) - max);
    float b = Exponential.exp(parts.max(record) - max);
    parts.set(total, max, Math.fma(parts.sum(record), b, parts.sum(total) * a));
    for (int d = 0; d < head.cache().shape().headDim(); d++) {
      set(parts, total, d, Math.fma(get(parts, record, d), b, get(parts, total, d) * a));
    }
  }

  private static void store(
      AttentionParts parts,
      long total,
      Activations out,
      int row,
      int queryHead,
      AttentionHead head) {
    float inverse = 1f / parts.sum(total);
    int headDim = head.cache().shape().headDim();
    for (int d = 0; d < headDim; d++) {
      out.set(row, queryHead * headDim + d, get(parts, total, d) * inverse);
    }
  }

  private float sumOfWeights(int positions) {
    Arrays.fill(lanes, 0f);
    for (int start = 0; start < positions; start += LaneSum.CHUNK) {
      Arrays.fill(chunk, 0f);
      for (int i = start; i < Math.min(positions, start + LaneSum.CHUNK); i++) {
        chunk[i % LaneSum.LANES] += weights[i];
      }
      for (int lane = 0; lane < LaneSum.LANES; lane++) {
        lanes[lane] += chunk[lane];
      }
    }
    return LaneSum.fold(lanes);
  }

  /** Sums each chunk of positions from zero, then the chunks: long histories stay accurate. */
  private float weightedValue(AttentionHead head, int[] blocks, int start, int positions, int d) {
    float total = 0f;
    for (int from = 0; from < positions; from += AttentionRows.CHUNK) {
      float sum = 0f;
      for (int p = from; p < Math.min(positions, from + AttentionRows.CHUNK); p++) {
        sum = Math.fma(weights[p], value(head, blocks, start + p, d), sum);
      }
      total += sum;
    }
    return total;
  }

  private static float key(AttentionHead head, int[] blocks, int position, int d) {
    PagedKvCache cache = head.cache();
    int block = blocks[position / BLOCK];
    MemorySegment slab = cache.slab(head.layer(), block);
    return cache.layout().key(slab, cache.keyOffset(block, head.kvHead()), position % BLOCK, d);
  }

  private static float value(AttentionHead head, int[] blocks, int position, int d) {
    PagedKvCache cache = head.cache();
    int block = blocks[position / BLOCK];
    MemorySegment slab = cache.slab(head.layer(), block);
    return cache.layout().value(slab, cache.valueOffset(block, head.kvHead()), position % BLOCK, d);
  }

  private static float get(AttentionParts parts, long record, int d) {
    return parts.data().get(ValueLayout.JAVA_FLOAT, AttentionParts.values(record) + 4L * d);
  }

  private static void set(AttentionParts parts, long record, int d, float number) {
    parts.data().set(ValueLayout.JAVA_FLOAT, AttentionParts.values(record) + 4L * d, number);
  }
}
