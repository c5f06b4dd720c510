package dev.caravan.worker.load;

import dev.caravan.model.checkpoint.Checkpoint;
import dev.caravan.model.checkpoint.TensorEntry;
import dev.caravan.model.checkpoint.WeightName;
import dev.caravan.model.checkpoint.WeightName.Kind;
import dev.caravan.model.shard.Shard;
import dev.caravan.worker.compute.ComputePool;
import dev.caravan.worker.kernel.Kernels;
import dev.caravan.worker.layer.StageWeights;
import dev.caravan.worker.tensor.Activations;
import dev.caravan.worker.tensor.WeightMatrix;
import dev.caravan.worker.tensor.WeightMemory;
import dev.caravan.worker.tensor.WeightPacker;
import dev.caravan.worker.tensor.WeightSlice;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Packs a shard's weights, all threads at once, reading only the shard's own bytes. Confined to the
 * thread that loads.
 */
public final class ShardLoader {
  private static final int GROUPS_PER_TASK = 8;

  private final Checkpoint checkpoint;
  private final Shard shard;
  private final Arena arena;
  private final ComputePool pool;
  private final Kernels kernels;
  private final WeightSlicer slicer;
  private final AtomicLong doneBytes = new AtomicLong();
  private long totalBytes;

  /** Hears how far loading is; called on the pool's threads. */
  public interface ProgressListener {
    /** Bytes of packed weights in place, and of all of them. */
    void loaded(long doneBytes, long totalBytes);
  }

  /**
   * @param arena shared, owns the packed weights
   * @param kernels of the loading thread
   */
  public ShardLoader(
      Checkpoint checkpoint, Shard shard, Arena arena, ComputePool pool, Kernels kernels) {
    this.checkpoint = checkpoint;
    this.shard = shard;
    this.arena = arena;
    this.pool = pool;
    this.kernels = kernels;
    this.slicer = new WeightSlicer(checkpoint, shard);
  }

  /**
   * Loads the shard.
   *
   * @throws dev.caravan.model.error.ClusterException CHECKPOINT_CORRUPT if a weight is missing or
   *     not finite
   */
  public StageWeights load(ProgressListener listener) {
    totalBytes = 0;
    for (WeightName name : matrices()) {
      WeightSlice slice = slicer.slice(name);
      totalBytes += WeightMatrix.bytes(slice.dtype(), slice.rows(), slice.columns());
    }
    doneBytes.set(0);
    listener.loaded(0, totalBytes);
    WeightMemory memory = WeightMemory.reserve(arena, totalBytes);
    List<StageWeights.Block> blocks = new ArrayList<>();
    for (int layer = shard.layers().start(); layer < shard.layers().end(); layer++) {
      blocks.add(block(layer, memory, listener));
    }
    return new StageWeights(embedding(), blocks, head(memory, listener));
  }

  /** Bytes of the packed weights; known once loaded. */
  public long bytes() {
    return totalBytes;
  }

  private StageWeights.Block block(int layer, WeightMemory memory, ProgressListener listener) {
    return new StageWeights.Block(
        vector(WeightName.of(Kind.ATTENTION_NORM, layer)),
        matrix(WeightName.of(Kind.QUERY, layer), memory, listener),
        matrix(WeightName.of(Kind.KEY, layer), memory, listener),
        matrix(WeightName.of(Kind.VALUE, layer), memory, listener),
        matrix(WeightName.of(Kind.ATTENTION_OUTPUT, layer), memory, listener),
        vector(WeightName.of(Kind.FFN_NORM, layer)),
        matrix(WeightName.of(Kind.FFN_GATE, layer), memory, listener),
        matrix(WeightName.of(Kind.FFN_UP, layer), memory, listener),
        matrix(WeightName.of(Kind.FFN_DOWN, layer), memory, listener));
  }

  private Optional<TensorEntry> embedding() {
    return shard.stage() == 0
        ? Optional.of(checkpoint.weight(WeightName.of(Kind.TOKEN_EMBEDDING)))
        : Optional.empty();
  }

  private Optional<StageWeights.Head> head(WeightMemory memory, ProgressListener listener) {
    if (!isLastStage()) {
      return Optional.empty();
    }
    Optional<WeightMatrix> output =
        shard.vocabRows().isEmpty()
            ? Optional.empty()
            : Optional.of(matrix(WeightName.of(Kind.OUTPUT), memory, listener));
    return Optional.of(new StageWeights.Head(vector(WeightName.of(Kind.FINAL_NORM)), output));
  }

  private boolean isLastStage() {
    return shard.layers().end() == checkpoint.config().layers();
  }

  private List<WeightName> matrices() {
    List<WeightName> names = new ArrayList<>();
    for (int layer = shard.layers().start(); layer < shard.layers().end(); layer++) {
      for (Kind kind : Kind.values()) {
        if (kind.isPerLayer() && kind != Kind.ATTENTION_NORM && kind != Kind.FFN_NORM) {
          names.add(WeightName.of(kind, layer));
        }
      }
    }
    if (isLastStage() && !shard.vocabRows().isEmpty()) {
      names.add(WeightName.of(Kind.OUTPUT));
    }
    return names;
  }

  private WeightMatrix matrix(WeightName name, WeightMemory memory, ProgressListener listener) {
    WeightSlice slice = slicer.slice(name);
    WeightMatrix matrix =
        WeightPacker.allocate(memory, slice.dtype(), slice.rows(), slice.columns());
    pool.run(
        Math.ceilDiv(matrix.rowGroups(), GROUPS_PER_TASK),
        (task, thread) -> {
          int from = task * GROUPS_PER_TASK;
          int to = Math.min(from + GROUPS_PER_TASK, matrix.rowGroups());
          WeightPacker.pack(slice, matrix, from, to);
          long done = doneBytes.addAndGet((to - from) * matrix.groupBytes());
          listener.loaded(done, totalBytes);
        });
    return matrix;
  }

  private MemorySegment vector(WeightName name) {
    TensorEntry tensor = checkpoint.weight(name);
    int length = Math.toIntExact(tensor.columns());
    Activations vector = new Activations(arena, 1, length);
    kernels.dequantiseRow(tensor.dtype(), tensor.data(), length, vector, 0);
    return vector.data();
  }
}
