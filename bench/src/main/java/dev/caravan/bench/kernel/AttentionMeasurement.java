package dev.caravan.bench.kernel;

import dev.caravan.model.step.RuntimeSettings;
import dev.caravan.model.step.SequenceChunk;
import dev.caravan.model.step.SequenceChunk.Logits;
import dev.caravan.model.step.StepBatch;
import dev.caravan.worker.compute.ComputePool;
import dev.caravan.worker.kernel.AttentionHead;
import dev.caravan.worker.kernel.KernelLimits;
import dev.caravan.worker.kernel.Kernels;
import dev.caravan.worker.kernel.simd.SimdKernels;
import dev.caravan.worker.kvcache.KvShape;
import dev.caravan.worker.kvcache.KvType;
import dev.caravan.worker.kvcache.PagedKvCache;
import dev.caravan.worker.layer.AttentionTasks;
import dev.caravan.worker.layer.StageKernels;
import dev.caravan.worker.layer.StepRows;
import dev.caravan.worker.tensor.Activations;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

/**
 * Attention of a layer as a worker computes it, with the heads of Llama 3.1 8B: the same kernels,
 * the same cutting into tasks.
 *
 * <p>Sequences lie one after the other in a cache larger than the processor's and are used in turn,
 * so that keys and values come from memory, as they do when a step has read the weights in between.
 * Confined to one thread; close() frees everything.
 */
public final class AttentionMeasurement implements AutoCloseable {
  /** Query heads. */
  public static final int HEADS = 32;

  /** Key-value heads. */
  public static final int KV_HEADS = 8;

  /** Numbers of a head. */
  public static final int HEAD_DIM = 128;

  private static final int BLOCK = RuntimeSettings.BLOCK_POSITIONS;
  private static final long REPETITION_NANOS = TimeUnit.MILLISECONDS.toNanos(80);
  private static final long CACHE_BYTES = 192L << 20;

  private final Arena arena = Arena.ofShared();
  private final ComputePool pool;
  private final StageKernels kernels;
  private final AttentionTasks tasks;
  private final StepRows rows;
  private final Activations q;
  private final Activations out;
  private final int maxPositions;
  private final Map<KvType, PagedKvCache> caches = new EnumMap<>(KvType.class);
  private int turn;

  /**
   * @param maxPositions most that a case sees
   * @param maxRows most rows of a case
   */
  public AttentionMeasurement(int threads, int maxPositions, int maxRows) {
    this.maxPositions = maxPositions;
    this.pool = new ComputePool(threads);
    KernelLimits limits = new KernelLimits(maxPositions, HEADS / KV_HEADS, HEAD_DIM);
    List<Kernels> perThread = new ArrayList<>();
    for (int thread = 0; thread < threads; thread++) {
      perThread.add(new SimdKernels(arena, limits));
    }
    this.kernels = new StageKernels(pool, perThread);
    this.tasks = new AttentionTasks(arena, threads, KV_HEADS, limits);
    this.rows = new StepRows(settings(threads, maxPositions, maxRows), 1);
    this.q = new Activations(arena, maxRows, HEADS * HEAD_DIM);
    this.out = new Activations(arena, maxRows, HEADS * HEAD_DIM);
  }

  /** Starts the threads and fills the queries. */
  public void start() {
    pool.start();
    fill(q);
  }

  /** Fills the cache of a type and runs the case until it is compiled. */
  public void warmUp(AttentionCase attentionCase, long nanos) {
    caches.computeIfAbsent(attentionCase.type(), this::filled);
    long end = System.nanoTime() + nanos;
    do {
      attend(attentionCase);
    } while (System.nanoTime() < end);
  }

  /**
   * Measures a case once: as many layers as take about 80 ms, at least one.
   *
   * @return nanoseconds of one layer
   */
  public double nanosPerLayer(AttentionCase attentionCase) {
    long start = System.nanoTime();
    int layers = 0;
    do {
      attend(attentionCase);
      layers++;
    } while (System.nanoTime() - start < REPETITION_NANOS);
    return (double) (System.nanoTime() - start) / layers;
  }

  /** Bytes of keys and values that the case's positions have in a layer. */
  public long kvBytes(AttentionCase attentionCase) {
    long blocks = Math.ceilDiv(attentionCase.positions(), BLOCK);
    return blocks * bytesPerBlock(cache(attentionCase.type()));
  }

  /** Multiplications and additions of one layer: of scores and of weighted values. */
  public static double operations(AttentionCase attentionCase) {
    double seen = attentionCase.positions() - (attentionCase.rows() - 1) / 2.0;
    return 4 * seen * attentionCase.rows() * HEADS * HEAD_DIM;
  }

  @Override
  public void close() {
    pool.close();
    arena.close();
  }

  /** Attends over the sequence whose turn it is. */
  void attend(AttentionCase attentionCase) {
    PagedKvCache cache = cache(attentionCase.type());
    int blocks = Math.ceilDiv(attentionCase.positions(), BLOCK);
    int sequences = cache.shape().blocks() / blocks;
    int first = turn++ % sequences * blocks;
    SequenceChunk chunk =
        new SequenceChunk(
            attentionCase.positions() - attentionCase.rows(),
            new int[attentionCase.rows()],
            IntStream.range(first, first + blocks).toArray(),
            Logits.NONE);
    rows.set(new StepBatch(0, 0, List.of(chunk)));
    tasks.set(rows.all());
    kernels.attention(q, out, heads(cache), tasks);
  }

  private static List<AttentionHead> heads(PagedKvCache cache) {
    int group = HEADS / KV_HEADS;
    return IntStream.range(0, KV_HEADS)
        .mapToObj(head -> new AttentionHead(cache, 0, head, head * group, (head + 1) * group))
        .toList();
  }

  private PagedKvCache cache(KvType type) {
    PagedKvCache cache = caches.get(type);
    if (cache == null) {
      throw new IllegalStateException(type + " has not been warmed up");
    }
    return cache;
  }

  private PagedKvCache filled(KvType type) {
    long blockBytes = bytesPerBlock(cache(type, 1));
    int needed = Math.ceilDiv(maxPositions, BLOCK);
    PagedKvCache cache = cache(type, (int) Math.max(needed, CACHE_BYTES / blockBytes));
    Activations kv = new Activations(arena, 1, KV_HEADS * HEAD_DIM);
    fill(kv);
    pool.run(
        cache.shape().blocks(),
        (block, thread) -> {
          for (int slot = 0; slot < BLOCK; slot++) {
            cache.append(0, block, slot, kv, kv, 0);
          }
        });
    return cache;
  }

  private PagedKvCache cache(KvType type, int blocks) {
    return new PagedKvCache(arena, new KvShape(1, KV_HEADS, HEAD_DIM, blocks, type));
  }

  private static long bytesPerBlock(PagedKvCache cache) {
    return 2 * cache.layout().headBytes() * KV_HEADS;
  }

  private static void fill(Activations x) {
    Random random = new Random(1);
    for (int row = 0; row < x.maxRows(); row++) {
      for (int column = 0; column < x.columns(); column++) {
        x.set(row, column, (float) random.nextGaussian());
      }
    }
  }

  /** What rows are checked against; blocks of all sequences of a cache. */
  private static RuntimeSettings settings(int threads, int maxPositions, int maxRows) {
    return new RuntimeSettings(
        threads,
        RuntimeSettings.Kernels.SIMD,
        RuntimeSettings.Activations.AUTO,
        RuntimeSettings.KvType.F16,
        RuntimeSettings.Sync.F32,
        RuntimeSettings.Collective.AUTO,
        maxRows,
        Integer.MAX_VALUE,
        maxPositions,
        false,
        1);
  }
}
