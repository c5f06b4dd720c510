package dev.caravan.worker.kernel.simd;

import static dev.caravan.worker.kernel.simd.Lanes.F;

import dev.caravan.worker.kernel.AttentionHead;
import dev.caravan.worker.kernel.KernelLimits;
import dev.caravan.worker.kernel.LaneSum;
import dev.caravan.worker.kvcache.PagedKvCache;
import dev.caravan.worker.tensor.Activations;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Attention in three passes over a sequence: scores, softmax, weighted values. The heads that share
 * a key-value head go through each block together.
 *
 * <p>Scratch memory: scores [heads][positions rounded up to 16], sums of values [heads][headDim
 * rounded up to 16]. Confined to one thread.
 */
final class SimdAttention {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int BLOCK = PagedKvCache.BLOCK_POSITIONS;
  private static final int LINE = BLOCK * Float.BYTES;

  private final MemorySegment scratch;
  private final MemorySegment sumsMemory;
  private final long scoresBytes;
  private final long sums;
  private final long sumBytes;
  private final float[] lanes = new float[LaneSum.LANES];
  private final float[] inverses;

  SimdAttention(Arena arena, KernelLimits limits) {
    this.scoresBytes = (long) Math.ceilDiv(limits.positions(), BLOCK) * LINE;
    this.sums = scoresBytes * limits.groupHeads();
    this.sumBytes = (long) Math.ceilDiv(limits.headDim(), BLOCK) * LINE;
    this.inverses = new float[limits.groupHeads()];
    this.scratch = arena.allocate(sums + sumBytes * limits.groupHeads(), LINE);
    this.sumsMemory = scratch.asSlice(sums);
  }

  void attend(Activations q, Activations out, int row, AttentionHead head) {
    int heads = head.toHead() - head.fromHead();
    int headDim = head.cache().shape().headDim();
    long first = q.offset(row) + 4L * head.fromHead() * headDim;
    int blocks = Math.ceilDiv(head.positions(), BLOCK);
    for (int block = 0; block < blocks; block++) {
      for (int pair = 0; pair < heads; pair += 2) {
        score(q.data(), first, head, block, pair);
      }
    }
    for (int h = 0; h < heads; h++) {
      inverses[h] = 1f / softmax(h * scoresBytes, head.positions());
    }
    sumsMemory.fill((byte) 0);
    for (int block = 0; block < blocks; block++) {
      for (int pair = 0; pair < heads; pair += 2) {
        weigh(head, block, pair, heads);
      }
    }
    for (int h = 0; h < heads; h++) {
      long to = out.offset(row) + 4L * (head.fromHead() + h) * headDim;
      store(sums + h * sumBytes, inverses[h], out.data(), to, headDim);
    }
  }

  /** Scores of a block's 16 positions for a pair of heads; the last head may stand alone. */
  private void score(MemorySegment q, long first, AttentionHead head, int block, int pair) {
    PagedKvCache cache = head.cache();
    int headDim = cache.shape().headDim();
    float scale = (float) (1 / Math.sqrt(headDim));
    int other = Math.min(pair + 1, head.toHead() - head.fromHead() - 1);
    long q0 = first + 4L * pair * headDim;
    long q1 = first + 4L * other * headDim;
    int id = head.blocks()[block];
    MemorySegment slab = cache.slab(head.layer(), id);
    long keys = cache.keyOffset(id, head.kvHead());
    for (long lane = 0; lane < LINE; lane += 2 * Lanes.BYTES) {
      long second = Math.min(lane + Lanes.BYTES, LINE - Lanes.BYTES);
      long s0 = pair * scoresBytes + (long) block * LINE + lane;
      long s1 = other * scoresBytes + (long) block * LINE + lane;
      long k0 = keys + lane;
      long k1 = keys + second;
      long step = second - lane;
      switch (cache.shape().type()) {
        case F16 ->
            AttentionKernels.scoresF16(
                slab, k0, k1, q, q0, q1, headDim, scale, scratch, s0, s1, step);
        case F32 ->
            AttentionKernels.scoresF32(
                slab, k0, k1, q, q0, q1, headDim, scale, scratch, s0, s1, step);
      }
    }
  }

  private void weigh(AttentionHead head, int block, int pair, int heads) {
    PagedKvCache cache = head.cache();
    int other = Math.min(pair + 1, heads - 1);
    int id = head.blocks()[block];
    int positions = Math.min(BLOCK, head.positions() - block * BLOCK);
    MemorySegment slab = cache.slab(head.layer(), id);
    long values = cache.valueOffset(id, head.kvHead());
    long row = 4L * cache.paddedHeadDim();
    long p0 = pair * scoresBytes + (long) block * LINE;
    long p1 = other * scoresBytes + (long) block * LINE;
    for (long at = 0; at < row; at += 2 * Lanes.BYTES) {
      long step = Math.min(Lanes.BYTES, row - Lanes.BYTES - at);
      long o0 = sums + pair * sumBytes + at;
      long o1 = sums + other * sumBytes + at;
      long v0 = values + at;
      switch (cache.shape().type()) {
        case F16 ->
            AttentionKernels.valuesF16(
                slab, v0, v0 + step, row, positions, scratch, p0, p1, o0, o1, step);
        case F32 ->
            AttentionKernels.valuesF32(
                slab, v0, v0 + step, row, positions, scratch, p0, p1, o0, o1, step);
      }
    }
  }

  /** Replaces scores by e to their distance from the largest; returns the sum. */
  private float softmax(long at, int positions) {
    int padded = Math.ceilDiv(positions, BLOCK) * BLOCK;
    for (int position = positions; position < padded; position++) {
      // e to minus infinity is 0, which changes neither the maximum nor the sum.
      scratch.set(ValueLayout.JAVA_FLOAT, at + 4L * position, Float.NEGATIVE_INFINITY);
    }
    exponentials(at, padded, largest(at, padded));
    for (int lane = 0; lane < LaneSum.LANES; lane += Lanes.COUNT) {
      FloatVector total = FloatVector.zero(F);
      for (int start = 0; start < padded; start += LaneSum.CHUNK) {
        FloatVector chunk = FloatVector.zero(F);
        int end = Math.min(padded, start + LaneSum.CHUNK);
        for (int p = start; p < end; p += LaneSum.LANES) {
          chunk = chunk.add(FloatVector.fromMemorySegment(F, scratch, at + 4L * (p + lane), ORDER));
        }
        total = total.add(chunk);
      }
      total.intoArray(lanes, lane);
    }
    return LaneSum.fold(lanes);
  }

  private float largest(long at, int padded) {
    FloatVector max = FloatVector.broadcast(F, Float.NEGATIVE_INFINITY);
    for (int p = 0; p < padded; p += Lanes.COUNT) {
      FloatVector v = FloatVector.fromMemorySegment(F, scratch, at + 4L * p, ORDER);
      // Not max and reduceLanes: where those are no instructions, they allocate at every turn.
      max = v.blend(max, max.compare(VectorOperators.GE, v));
    }
    max.intoArray(lanes, 0);
    float largest = lanes[0];
    for (int lane = 1; lane < Lanes.COUNT; lane++) {
      largest = Math.max(largest, lanes[lane]);
    }
    return largest;
  }

  private void exponentials(long at, int padded, float max) {
    for (int p = 0; p < padded; p += Lanes.COUNT) {
      FloatVector v = FloatVector.fromMemorySegment(F, scratch, at + 4L * p, ORDER);
      SimdElementwise.exp(v.sub(max)).intoMemorySegment(scratch, at + 4L * p, ORDER);
    }
  }

  private void store(long from, float inverse, MemorySegment out, long to, int headDim) {
    for (int d = 0; d < headDim; d++) {
      float sum = scratch.get(ValueLayout.JAVA_FLOAT, from + 4L * d);
      out.set(ValueLayout.JAVA_FLOAT, to + 4L * d, sum * inverse);
    }
  }
}
