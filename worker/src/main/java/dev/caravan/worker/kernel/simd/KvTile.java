package dev.caravan.worker.kernel.simd;

import dev.caravan.worker.kernel.AttentionHead;
import dev.caravan.worker.kernel.AttentionRows;
import dev.caravan.worker.kvcache.KvLayout;
import dev.caravan.worker.kvcache.KvType;
import dev.caravan.worker.kvcache.PagedKvCache;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Keys or values of up to 32 positions as floats, off heap: unpacked once, used by all queries.
 *
 * <p>Keys are [2 blocks][dim][16 positions], values [dim / 16][32 positions][16]; dim is headDim
 * rounded up to 16. Confined to one thread.
 */
final class KvTile {
  private static final int BLOCK = PagedKvCache.BLOCK_POSITIONS;
  private static final int LINE = KvLayout.LINE_BYTES;
  private static final int CHUNK = AttentionRows.CHUNK;

  private final MemorySegment data;
  private final long sums;

  KvTile(Arena arena, int headDim) {
    long lines = (long) Math.ceilDiv(headDim, KvLayout.LANES) * KvLayout.LANES * (CHUNK / BLOCK);
    this.sums = lines * LINE;
    this.data = arena.allocate(sums + 2L * AttentionKernels.GROUP * Lanes.BYTES, LINE);
  }

  MemorySegment data() {
    return data;
  }

  /** Byte offset of room for the results of one kernel call, after the tile. */
  long sums() {
    return sums;
  }

  /** Byte offset of a vector of positions, counted over the tile, in its first line. */
  static long keys(int vector, int dim) {
    long byteInLines = (long) vector * Lanes.BYTES;
    return byteInLines / LINE * dim * LINE + byteInLines % LINE;
  }

  /** Byte offset of a vector of dimensions in its first line. */
  static long values(int vector) {
    long byteInLines = (long) vector * Lanes.BYTES;
    return byteInLines / LINE * CHUNK * LINE + byteInLines % LINE;
  }

  /** Unpacks the keys of positions [start, end); start is a multiple of 32. */
  void unpackKeys(AttentionHead head, int[] blocks, int start, int end) {
    PagedKvCache cache = head.cache();
    int dim = cache.paddedHeadDim();
    for (int block = start / BLOCK; block * BLOCK < end; block++) {
      int id = blocks[block];
      MemorySegment slab = cache.slab(head.layer(), id);
      long from = cache.keyOffset(id, head.kvHead());
      long to = (long) (block - start / BLOCK) * dim * LINE;
      switch (cache.shape().type()) {
        case F32 -> KvUnpack.floats(slab, from, 1, dim, data, to, 0);
        case F16 -> KvUnpack.halves(slab, from, 1, dim / 2, data, to, 0);
        case Q8 -> KvUnpack.byteKeys(slab, from, dim / 4, from + (long) dim / 4 * LINE, data, to);
      }
    }
  }

  /** Unpacks the values of positions [start, end); start is a multiple of 32. */
  void unpackValues(AttentionHead head, int[] blocks, int start, int end) {
    PagedKvCache cache = head.cache();
    int runs = cache.paddedHeadDim() / KvLayout.LANES;
    long stride = (long) CHUNK * LINE;
    for (int block = start / BLOCK; block * BLOCK < end; block++) {
      int id = blocks[block];
      MemorySegment slab = cache.slab(head.layer(), id);
      long from = cache.valueOffset(id, head.kvHead());
      long to = (long) (block - start / BLOCK) * BLOCK * LINE;
      switch (cache.shape().type()) {
        case F32 -> KvUnpack.floats(slab, from, runs, BLOCK, data, to, stride);
        case F16 -> KvUnpack.halves(slab, from, runs, BLOCK / 2, data, to, stride);
        case Q8 -> unpackByteValues(slab, from, runs, to);
      }
    }
  }

  private void unpackByteValues(MemorySegment slab, long from, int runs, long to) {
    int run = BLOCK / 4;
    int runsPerScale = KvType.Q8_GROUP / KvLayout.LANES;
    long scales = from + (long) runs * run * LINE;
    for (int r = 0; r < runs; r++) {
      KvUnpack.byteValues(
          slab,
          from + (long) r * run * LINE,
          run,
          scales + (long) (r / runsPerScale) * LINE,
          data,
          to + (long) r * CHUNK * LINE);
    }
  }
}
