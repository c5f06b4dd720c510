package dev.caravan.worker.rpc;

import dev.caravan.model.checkpoint.Checkpoint;
import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.model.shard.Shard;
import dev.caravan.model.step.RuntimeSettings;
import dev.caravan.worker.compute.ComputePool;
import dev.caravan.worker.kernel.KernelLimits;
import dev.caravan.worker.kernel.Kernels;
import dev.caravan.worker.kernel.scalar.ScalarKernels;
import dev.caravan.worker.kernel.scalar.UnpackedWeights;
import dev.caravan.worker.kernel.simd.SimdKernels;
import dev.caravan.worker.kvcache.KvShape;
import dev.caravan.worker.kvcache.KvType;
import dev.caravan.worker.kvcache.PagedKvCache;
import dev.caravan.worker.layer.LlamaStage;
import dev.caravan.worker.layer.Priming;
import dev.caravan.worker.layer.StageBuilder;
import dev.caravan.worker.layer.StageWeights;
import dev.caravan.worker.load.ShardLoader;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;

/**
 * A shard in memory: its weights, its cache, its threads. Confined to the step thread; close()
 * frees everything but the activations of the layers, which live as long as one epoch.
 */
public final class LoadedShard implements AutoCloseable {
  private static final long PRIMED_WEIGHT_BYTES = 8L << 20;

  private final Arena arena = Arena.ofShared();
  private final Checkpoint checkpoint;
  private final Shard shard;
  private final RuntimeSettings settings;
  private final ComputePool pool;
  private final PagedKvCache cache;
  private final UnpackedWeights unpacked = new UnpackedWeights();
  private final List<Kernels> kernels = new ArrayList<>();
  private final ShardLoader loader;

  /**
   * Takes the checkpoint over: it is closed with this shard.
   *
   * @param settings with a positive number of threads
   */
  public LoadedShard(Checkpoint checkpoint, Shard shard, RuntimeSettings settings) {
    this.checkpoint = checkpoint;
    this.shard = shard;
    this.settings = settings;
    this.pool = new ComputePool(settings.threads());
    for (int thread = 0; thread < settings.threads(); thread++) {
      kernels.add(kernels());
    }
    this.cache =
        new PagedKvCache(
            arena,
            new KvShape(
                shard.layers().size(),
                shard.kvHeads().size(),
                checkpoint.config().headDim(),
                settings.kvBlocks(),
                kvType()));
    this.loader = new ShardLoader(checkpoint, shard, arena, pool, kernels.getFirst());
  }

  /**
   * Checks that a checkpoint is the one that the coordinator plans for.
   *
   * @throws ClusterException INCOMPATIBLE with both fingerprints
   */
  static void checkFingerprint(Checkpoint checkpoint, String expected) {
    if (!checkpoint.fingerprint().equals(expected)) {
      throw new ClusterException(
          ErrorCode.INCOMPATIBLE,
          "%s is another model than the coordinator's: fingerprint %.16s here, %.16s there; copy the same files to every machine"
              .formatted(checkpoint.path(), checkpoint.fingerprint(), expected));
    }
  }

  /** Packs the weights. */
  public StageWeights load(ShardLoader.ProgressListener listener) {
    pool.start();
    return loader.load(listener);
  }

  /**
   * Has the JIT compile the kernels; takes some seconds at most. Does nothing for plain loops and
   * for weights so few that an answer is faster than that.
   */
  void prime(StageWeights weights) {
    boolean worthIt = loader.bytes() >= PRIMED_WEIGHT_BYTES;
    if (worthIt && settings.kernels() == RuntimeSettings.Kernels.SIMD) {
      new Priming(checkpoint.config(), shard, settings, kernels.getFirst())
          .run(weights, cache.shape());
    }
  }

  /** Whether the links to the peers are worth being made fast, too: some seconds more. */
  boolean isWorthWarmLinks() {
    return settings.isWorthRehearsing(loader.bytes());
  }

  /**
   * Puts the layers together.
   *
   * @param activations shared, owns all activations
   */
  public LlamaStage build(StageWeights weights, StepPeers peers, Arena activations) {
    return new StageBuilder(activations, checkpoint.config(), shard, settings, pool, kernels)
        .build(weights, cache, peers.collective(), peers.previous(), peers.next());
  }

  /** Bytes of packed weights. */
  long weightBytes() {
    return loader.bytes();
  }

  /** Bytes of the KV cache when it is full. */
  long kvBytes() {
    return cache.maxBytes();
  }

  @Override
  public void close() {
    pool.close();
    arena.close();
    checkpoint.close();
  }

  private Kernels kernels() {
    LlamaConfig config = checkpoint.config();
    KernelLimits limits =
        new KernelLimits(settings.contextLength(), config.headsPerKvHead(), config.headDim());
    return switch (settings.kernels()) {
      case SIMD -> new SimdKernels(arena, limits);
      case SCALAR -> new ScalarKernels(limits);
      case UNPACKED -> new ScalarKernels(limits, unpacked);
    };
  }

  private KvType kvType() {
    return switch (settings.kv()) {
      case F16 -> KvType.F16;
      case F32 -> KvType.F32;
      case Q8 -> KvType.Q8;
    };
  }
}
