package dev.caravan.worker.layer;

import dev.caravan.model.checkpoint.Checkpoint;
import dev.caravan.model.checkpoint.Checkpoints;
import dev.caravan.model.shard.Shard;
import dev.caravan.model.shard.ShardPlan;
import dev.caravan.model.shard.ShardPlanner;
import dev.caravan.model.shard.WeightTypes;
import dev.caravan.model.step.RuntimeSettings;
import dev.caravan.model.step.StepBatch;
import dev.caravan.proto.wire.PayloadType;
import dev.caravan.worker.collective.AllReduceRule;
import dev.caravan.worker.collective.ChecksummingCollective;
import dev.caravan.worker.collective.CollectiveAlgorithm;
import dev.caravan.worker.collective.ExchangeSettings;
import dev.caravan.worker.collective.InProcessPeerChannel;
import dev.caravan.worker.collective.PeerGroup;
import dev.caravan.worker.collective.Ranks;
import dev.caravan.worker.compute.ComputePool;
import dev.caravan.worker.kernel.KernelLimits;
import dev.caravan.worker.kernel.Kernels;
import dev.caravan.worker.kernel.simd.SimdKernels;
import dev.caravan.worker.kvcache.KvShape;
import dev.caravan.worker.kvcache.KvType;
import dev.caravan.worker.kvcache.PagedKvCache;
import dev.caravan.worker.load.ShardLoader;
import dev.caravan.worker.tensor.Activations;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.LongSupplier;
import java.util.stream.IntStream;

/** The ranks of a model of one stage, in this JVM. Confined to the test's thread. */
final class StageRanks implements AutoCloseable {
  private final Arena arena = Arena.ofShared();
  private final Checkpoint checkpoint;
  private final ShardPlan plan;
  private final RuntimeSettings settings;
  private final BiFunction<Arena, KernelLimits, Kernels> newKernels;
  private final List<ComputePool> pools = new ArrayList<>();
  private final List<ChecksummingCollective> collectives = new ArrayList<>();
  private final List<CountingCollective> counting = new ArrayList<>();
  private final List<LlamaStage> stages = new ArrayList<>();
  private final List<PagedKvCache> caches = new ArrayList<>();
  private final List<StageWeights> weights = new ArrayList<>();
  private final List<Kernels> firstKernels = new ArrayList<>();

  StageRanks(Path model, int ranks, RuntimeSettings settings) {
    this(model, ranks, settings, SimdKernels::new);
  }

  /**
   * @param kernels makes those of one thread
   */
  StageRanks(
      Path model,
      int ranks,
      RuntimeSettings settings,
      BiFunction<Arena, KernelLimits, Kernels> kernels) {
    this.newKernels = kernels;
    this.checkpoint = Checkpoints.open(model);
    this.settings = settings;
    this.plan = ShardPlanner.plan(checkpoint.config(), WeightTypes.of(checkpoint), 1, ranks);
    ExchangeSettings exchange = new ExchangeSettings(1, payload(settings.sync()), 30_000);
    for (PeerGroup group : InProcessPeerChannel.groups(exchange, 0, ranks)) {
      collectives.add(
          new ChecksummingCollective(
              CollectiveAlgorithm.AUTO.over(group, AllReduceRule.UNMEASURED)));
    }
    collectives.forEach(collective -> counting.add(new CountingCollective(collective)));
    plan.shards().forEach(this::build);
  }

  /** Runs a step on all ranks and returns each rank's part of the logits, [rows][vocabulary]. */
  float[][] forward(StepBatch batch) throws Exception {
    float[][] logits = new float[batch.logitsRows()][checkpoint.config().vocabSize()];
    Ranks.runAll(
        plan.ranks(),
        rank -> {
          Activations part = stages.get(rank).forward(batch);
          int start = plan.shards().get(rank).vocabRows().start();
          for (int row = 0; part != null && row < logits.length; row++) {
            for (int column = 0; column < part.columns(); column++) {
              logits[row][start + column] = part.get(row, column);
            }
          }
        });
    return logits;
  }

  /** Primes a rank's kernels and returns the number of steps. */
  int prime(int rank, LongSupplier clock) {
    return new Priming(
            checkpoint.config(), plan.shards().get(rank), settings, firstKernels.get(rank))
        .run(weights.get(rank), caches.get(rank).shape(), clock);
  }

  /** Bytes that a rank's cache has taken so far. */
  long kvBytes(int rank) {
    return caches.get(rank).bytes();
  }

  LlamaStage stage(int rank) {
    return stages.get(rank);
  }

  /** Each rank's checksum over the sums of the latest step. */
  List<Long> checksums() {
    return collectives.stream().map(ChecksummingCollective::checksum).toList();
  }

  /** How often a rank has moved what was in flight while it computed. */
  int progressed(int rank) {
    return counting.get(rank).progressed();
  }

  /** Bytes that a rank has sent so far. */
  long bytesSent(int rank) {
    return collectives.get(rank).bytesSent();
  }

  private static PayloadType payload(RuntimeSettings.Sync sync) {
    return switch (sync) {
      case F32 -> PayloadType.F32;
      case BF16 -> PayloadType.BF16;
      case Q8 -> PayloadType.Q8;
    };
  }

  @Override
  public void close() {
    pools.forEach(ComputePool::close);
    arena.close();
    checkpoint.close();
  }

  private void build(Shard shard) {
    ComputePool pool = new ComputePool(settings.threads());
    pool.start();
    pools.add(pool);
    int headDim = checkpoint.config().headDim();
    KernelLimits limits =
        new KernelLimits(settings.contextLength(), checkpoint.config().headsPerKvHead(), headDim);
    List<Kernels> kernels =
        IntStream.range(0, settings.threads())
            .mapToObj(thread -> newKernels.apply(arena, limits))
            .toList();
    firstKernels.add(kernels.getFirst());
    weights.add(
        new ShardLoader(checkpoint, shard, arena, pool, kernels.getFirst())
            .load((done, total) -> {}));
    KvShape shape =
        new KvShape(
            shard.layers().size(),
            shard.kvHeads().size(),
            headDim,
            settings.kvBlocks(),
            KvType.F32);
    caches.add(new PagedKvCache(arena, shape));
    stages.add(
        new StageBuilder(arena, checkpoint.config(), shard, settings, pool, kernels)
            .build(weights.getLast(), caches.getLast(), counting.get(shard.rank()), null, null));
  }
}
