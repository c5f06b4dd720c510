package dev.caravan.worker.kernel.simd;

import dev.caravan.worker.kernel.AttentionHead;
import dev.caravan.worker.kernel.AttentionParts;
import dev.caravan.worker.kernel.AttentionRows;
import dev.caravan.worker.kernel.Exponential;
import dev.caravan.worker.kernel.KernelLimits;
import dev.caravan.worker.tensor.Activations;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Attention of rows that share a sequence: range by range, in each range scores, softmax, weighted
 * values. A query is a query head of a row; all queries go through each tile of 32 positions
 * together, four at a time.
 *
 * <p>Scratch memory, whatever the context: weights [queries][1024 positions], a tile, and records
 * of two ranges. Confined to one thread.
 */
final class SimdAttention {
  private static final int CHUNK = AttentionRows.CHUNK;
  private static final int GROUP = AttentionKernels.GROUP;
  private static final long WEIGHTS_BYTES = AttentionKernels.WEIGHTS_BYTES;

  private final MemorySegment weights;
  private final MemorySegment packed;
  private final MemorySegment packedWeights;
  private final KvTile tile;
  private final AttentionParts own;
  private final Softmax softmax = new Softmax();

  SimdAttention(Arena arena, KernelLimits limits) {
    int queries = limits.attentionRows() * limits.groupHeads();
    // A group that is not full reads queries that there are not.
    int padded = Math.ceilDiv(queries, GROUP) * GROUP;
    this.weights = arena.allocate(WEIGHTS_BYTES * padded, Float.BYTES * CHUNK);
    this.packed = arena.allocate(4L * padded * limits.headDim(), Float.BYTES * CHUNK);
    this.packedWeights = arena.allocate(4L * padded * CHUNK, Float.BYTES * CHUNK);
    this.tile = new KvTile(arena, limits.headDim());
    this.own = new AttentionParts(arena, 1, 2, queries, limits.headDim());
  }

  void attend(Activations q, Activations out, AttentionHead head, AttentionRows rows) {
    long total = own.offset(0, 0);
    long next = own.offset(0, 1);
    record(q, own, total, head, rows, 0);
    for (int range = 1; range < rows.ranges(); range++) {
      record(q, own, next, head, rows, range);
      add(own, total, next, head, rows, range);
    }
    store(own, total, out, head, rows);
  }

  void range(
      Activations q, AttentionParts parts, AttentionHead head, AttentionRows rows, int range) {
    record(q, parts, parts.offset(head.kvHead(), rows.part(range)), head, rows, range);
  }

  void combine(AttentionParts parts, Activations out, AttentionHead head, AttentionRows rows) {
    long total = parts.offset(head.kvHead(), rows.part(0));
    for (int range = 1; range < rows.ranges(); range++) {
      add(parts, total, parts.offset(head.kvHead(), rows.part(range)), head, rows, range);
    }
    store(parts, total, out, head, rows);
  }

  /** Computes the records of a range, one after the other from {@code to} on. */
  private void record(
      Activations q,
      AttentionParts parts,
      long to,
      AttentionHead head,
      AttentionRows rows,
      int range) {
    pack(q, head, rows);
    int start = range * AttentionRows.RANGE;
    int end = Math.min(rows.positions(), start + AttentionRows.RANGE);
    for (int at = start; at < end; at += CHUNK) {
      score(head, rows, at, Math.min(end, at + CHUNK));
    }
    clear(parts, to, rows.count() * head.heads(), head.cache().paddedHeadDim());
    softmax(parts, to, head, rows, range);
    for (int at = start; at < end; at += CHUNK) {
      weigh(parts, to, head, rows, at, Math.min(end, at + CHUNK));
    }
  }

  /** Copies the queries to groups [headDim][4]. */
  private void pack(Activations q, AttentionHead head, AttentionRows rows) {
    int headDim = head.cache().shape().headDim();
    int query = 0;
    for (int row = rows.fromRow(); row < rows.toRow(); row++) {
      for (int h = head.fromHead(); h < head.toHead(); h++) {
        long from = q.offset(row) + 4L * h * headDim;
        AttentionKernels.pack(q.data(), from, headDim, packed, column(query, headDim));
        query++;
      }
    }
  }

  /** Byte offset of a query's column among groups [count][4]. */
  private static long column(int query, int count) {
    return 4L * (query / GROUP * count * GROUP + query % GROUP);
  }

  /** Scores of the positions [at, end) of a tile. */
  private void score(AttentionHead head, AttentionRows rows, int at, int end) {
    int headDim = head.cache().shape().headDim();
    int dim = head.cache().paddedHeadDim();
    float scale = (float) (1 / Math.sqrt(headDim));
    tile.unpackKeys(head, rows.blocks(), at, end);
    int first = firstRow(rows, at) * head.heads() / GROUP * GROUP;
    int queries = rows.count() * head.heads();
    int vectors = Math.ceilDiv(end - at, Lanes.COUNT);
    for (int v = 0; v < vectors; v += 2) {
      int other = Math.min(v + 1, vectors - 1);
      long k0 = KvTile.keys(v, dim);
      long k1 = KvTile.keys(other, dim);
      long to = 4L * (at % AttentionRows.RANGE) + (long) v * Lanes.BYTES;
      long step = (long) (other - v) * Lanes.BYTES;
      for (int query = first; query < queries; query += GROUP) {
        MemorySegment data = tile.data();
        TileKernels.fourSums(data, k0, k1 - k0, packed, 4L * query * headDim, headDim, tile.sums());
        long scores = query * WEIGHTS_BYTES + to;
        int count = Math.min(GROUP, queries - query);
        AttentionKernels.scores(data, tile.sums(), scale, weights, scores, step, count);
      }
    }
  }

  private void softmax(
      AttentionParts parts, long to, AttentionHead head, AttentionRows rows, int range) {
    int query = 0;
    for (int row = rows.fromRow(); row < rows.toRow(); row++) {
      int positions = rows.positions(row, range);
      for (int h = 0; h < head.heads(); h++) {
        if (positions > 0) {
          float max = softmax.exponentials(weights, query * WEIGHTS_BYTES, positions);
          float sum = softmax.sum(weights, query * WEIGHTS_BYTES, positions);
          parts.set(to + query * parts.recordBytes(), max, sum);
        }
        query++;
      }
    }
  }

  /** Adds the weighted values of the positions [at, end) of a tile. */
  private void weigh(
      AttentionParts parts, long to, AttentionHead head, AttentionRows rows, int at, int end) {
    tile.unpackValues(head, rows.blocks(), at, end);
    int heads = head.heads();
    int queries = rows.count() * heads;
    int seeing = firstRow(rows, at);
    int full = firstRow(rows, at + CHUNK - 1);
    long from = 4L * (at % AttentionRows.RANGE);
    for (int query = seeing * heads; query < queries; query++) {
      long column = column(query, CHUNK);
      AttentionKernels.pack(weights, query * WEIGHTS_BYTES + from, CHUNK, packedWeights, column);
    }
    // A row that sees less than the tile goes alone: the others' values are not for it.
    for (int row = seeing; row < full; row++) {
      int positions = rows.position() + row + 1 - at;
      weigh(parts, to, head, row * heads, (row + 1) * heads, positions);
    }
    weigh(parts, to, head, full * heads, queries, CHUNK);
  }

  /** Adds the first positions of a tile to the queries [first, end). */
  private void weigh(
      AttentionParts parts, long to, AttentionHead head, int first, int end, int positions) {
    MemorySegment data = tile.data();
    long sums = tile.sums();
    int vectors = head.cache().paddedHeadDim() / Lanes.COUNT;
    for (int v = 0; v < vectors; v += 2) {
      int other = Math.min(v + 1, vectors - 1);
      long step = (long) (other - v) * Lanes.BYTES;
      long v0 = KvTile.values(v);
      long v1 = KvTile.values(other);
      long values = AttentionParts.values(to) + (long) v * Lanes.BYTES;
      for (int query = first / GROUP * GROUP; query < end; query += GROUP) {
        TileKernels.fourSums(data, v0, v1 - v0, packedWeights, 4L * query * CHUNK, positions, sums);
        int from = Math.max(query, first);
        int count = Math.min(query + GROUP, end) - from;
        long total = values + from * parts.recordBytes();
        long own = sums + 2L * (from - query) * Lanes.BYTES;
        AttentionKernels.add(data, own, parts.data(), total, step, parts.recordBytes(), count);
      }
    }
  }

  /** First row, counted from 0, that sees a position; the number of rows if none does. */
  private static int firstRow(AttentionRows rows, int position) {
    return Math.clamp(position - rows.position(), 0, rows.count());
  }

  private static void clear(AttentionParts parts, long to, int queries, int dim) {
    for (int query = 0; query < queries; query++) {
      long values = AttentionParts.values(to + query * parts.recordBytes());
      parts.data().asSlice(values, 4L * dim).fill((byte) 0);
    }
  }

  /** Adds a range's records to those of all ranges before it. */
  private static void add(
      AttentionParts parts,
      long totals,
      long records,
      AttentionHead head,
      AttentionRows rows,
      int range) {
    int query = 0;
    for (int row = rows.fromRow(); row < rows.toRow(); row++) {
      for (int h = 0; h < head.heads(); h++) {
        long at = query * parts.recordBytes();
        if (rows.positions(row, range) > 0) {
          addRecord(parts, totals + at, records + at, head.cache().paddedHeadDim());
        }
        query++;
      }
    }
  }

  private static void addRecord(AttentionParts parts, long total, long record, int dim) {
    float max = Math.max(parts.max(total), parts.max(record));
    float a = Exponential.exp(parts.max(total) - max);
    float b = Exponential.exp(parts.max(record) - max);
    parts.set(total, max, Math.fma(parts.sum(record), b, parts.sum(total) * a));
    long to = AttentionParts.values(total);
    Softmax.addScaled(parts.data(), to, a, AttentionParts.values(record), b, dim);
  }

  private static void store(
      AttentionParts parts, long totals, Activations out, AttentionHead head, AttentionRows rows) {
    int headDim = head.cache().shape().headDim();
    long total = totals;
    for (int row = rows.fromRow(); row < rows.toRow(); row++) {
      for (int h = head.fromHead(); h < head.toHead(); h++) {
        long to = out.offset(row) + 4L * h * headDim;
        float inverse = 1f / parts.sum(total);
        long from = AttentionParts.values(total);
        Softmax.multiply(parts.data(), from, inverse, out.data(), to, headDim);
        total += parts.recordBytes();
      }
    }
  }
}
