package dev.caravan.worker.layer;

import dev.caravan.model.checkpoint.DType;
import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.shard.IntRange;
import dev.caravan.model.shard.Shard;
import dev.caravan.model.step.RuntimeSettings;
import dev.caravan.model.step.SequenceChunk;
import dev.caravan.model.step.SequenceChunk.Logits;
import dev.caravan.model.step.StepBatch;
import dev.caravan.worker.collective.SoloCollective;
import dev.caravan.worker.collective.StageLink;
import dev.caravan.worker.compute.ComputePool;
import dev.caravan.worker.kernel.Kernels;
import dev.caravan.worker.kvcache.KvShape;
import dev.caravan.worker.kvcache.PagedKvCache;
import dev.caravan.worker.tensor.Activations;
import dev.caravan.worker.tensor.WeightMatrix;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs a shard's kernels until the JIT has compiled them, so that the first request finds them
 * fast.
 *
 * <p>Its steps go through a stage of their own: the shard's kernels and weights, but of each matrix
 * the first rows only and of the layers one for each combination of weight types, with activations
 * and a KV cache that are thrown away. No peer hears of it, and nothing that a later step reads is
 * written. One thread runs them: compiled code serves all threads, and the JIT gets the other
 * cores. Confined to the step thread.
 */
public final class Priming {
  private static final Logger LOG = LoggerFactory.getLogger(Priming.class);

  /** Rows of a decode step: one, a few, and enough for the kernels of many rows. */
  private static final List<Integer> SMALL_BATCHES = List.of(1, 2, 4, 8);

  private static final int PREFILL_ROWS = 16;

  /** Most positions of a step, so that attention goes over several blocks. */
  private static final int POSITIONS = 64;

  /** Rows of a matrix, few: what is not compiled yet takes 10,000 times as long. */
  private static final int WEIGHT_ROWS = 64;

  /** A large kernel keeps the compiler busy for so long; until it is done, times stand still. */
  private static final long QUIET_NANOS = TimeUnit.MILLISECONDS.toNanos(700);

  private static final long BOUND_NANOS = TimeUnit.SECONDS.toNanos(8);

  private final LlamaConfig config;
  private final Shard shard;
  private final RuntimeSettings settings;
  private final Kernels kernels;

  /** What happens in the place of the stage before: hidden states that are not all zero. */
  private record ScratchLink() implements StageLink {
    @Override
    public void receive(long step, Activations x, int rows) {
      for (int row = 0; row < rows; row++) {
        for (int column = 0; column < x.columns(); column++) {
          x.set(row, column, (column % 7 - 3) / 4f);
        }
      }
    }

    @Override
    public void send(long step, Activations x, int rows) {
      throw new IllegalStateException("the scratch stage has no next one");
    }

    @Override
    public long bytesSent() {
      return 0;
    }
  }

  /**
   * @param settings of the shard
   * @param kernels of the step thread
   */
  public Priming(LlamaConfig config, Shard shard, RuntimeSettings settings, Kernels kernels) {
    this.config = config;
    this.shard = shard;
    this.settings = scratch(settings);
    this.kernels = kernels;
  }

  /**
   * Runs until the kernels have settled, for a few seconds at most.
   *
   * @param cache of the shard
   */
  public void run(StageWeights weights, KvShape cache) {
    int steps = run(weights, cache, System::nanoTime);
    LOG.info("primed the kernels with {} steps", steps);
  }

  /** Returns the number of steps. */
  int run(StageWeights weights, KvShape cache, LongSupplier clock) {
    try (Arena arena = Arena.ofShared();
        ComputePool pool = new ComputePool(1)) {
      pool.start();
      LlamaStage stage = stage(arena, pool, excerpt(weights), cache);
      List<StepBatch> batches = batches();
      Settling settling = new Settling(batches.size(), clock.getAsLong(), QUIET_NANOS, BOUND_NANOS);
      fillCache(stage);
      int steps = 0;
      while (!settling.isOver(clock.getAsLong())) {
        int batch = steps % batches.size();
        long begin = clock.getAsLong();
        stage.forward(batches.get(batch));
        settling.add(batch, begin, clock.getAsLong());
        steps++;
      }
      return steps;
    }
  }

  /** Writes to every block that the steps look back at. */
  private void fillCache(LlamaStage stage) {
    for (int start = 0;
        start < settings.contextLength();
        start += RuntimeSettings.BLOCK_POSITIONS) {
      stage.forward(batch(Stream.of(chunk(start, 1, Logits.NONE))));
    }
  }

  private LlamaStage stage(Arena arena, ComputePool pool, StageWeights weights, KvShape cache) {
    KvShape shape =
        new KvShape(
            weights.blocks().size(),
            cache.kvHeads(),
            cache.headDim(),
            settings.kvBlocks(),
            cache.type());
    return new StageBuilder(arena, config, withHead(weights), settings, pool, List.of(kernels))
        .build(
            weights, new PagedKvCache(arena, shape), new SoloCollective(), new ScratchLink(), null);
  }

  /** The shard with as many vocabulary rows as the excerpt of the head has. */
  private Shard withHead(StageWeights weights) {
    int first = shard.vocabRows().start();
    int rows = weights.head().flatMap(StageWeights.Head::output).map(WeightMatrix::rows).orElse(0);
    return new Shard(
        shard.stage(),
        shard.rank(),
        shard.layers(),
        shard.heads(),
        shard.kvHeads(),
        shard.ffnColumns(),
        new IntRange(first, first + rows));
  }

  /** Small batches as sequences that decode, then a piece of a prompt. */
  private List<StepBatch> batches() {
    int last = settings.contextLength() - 1;
    List<StepBatch> batches = new ArrayList<>();
    for (int sequences : SMALL_BATCHES) {
      if (sequences <= settings.maxBatchRows()) {
        // All of them write the same numbers to the same place.
        SequenceChunk chunk = chunk(last, 1, Logits.LAST);
        batches.add(batch(Stream.generate(() -> chunk).limit(logitsRows(sequences))));
      }
    }
    int rows = settings.maxBatchRows();
    batches.add(batch(Stream.of(chunk(last + 1 - rows, rows, Logits.LAST))));
    return batches;
  }

  private int logitsRows(int rows) {
    return Math.min(rows, settings.maxLogitsRows(config.vocabSize()));
  }

  private static StepBatch batch(Stream<SequenceChunk> chunks) {
    return new StepBatch(0, 0, chunks.toList());
  }

  private SequenceChunk chunk(int startPosition, int rows, Logits logits) {
    int[] tokens = IntStream.range(0, rows).map(i -> i % config.vocabSize()).toArray();
    return new SequenceChunk(
        startPosition, tokens, IntStream.range(0, settings.kvBlocks()).toArray(), logits);
  }

  private static RuntimeSettings scratch(RuntimeSettings settings) {
    int positions = Math.min(POSITIONS, settings.contextLength());
    return new RuntimeSettings(
        settings.threads(),
        settings.kernels(),
        settings.activations(),
        settings.kv(),
        settings.sync(),
        settings.collective(),
        Math.min(Math.min(PREFILL_ROWS, settings.maxBatchRows()), positions),
        Math.ceilDiv(positions, RuntimeSettings.BLOCK_POSITIONS),
        positions,
        settings.checksums(),
        settings.stepDeadlineMillis());
  }

  private static StageWeights excerpt(StageWeights weights) {
    Map<List<DType>, StageWeights.Block> blocks = new LinkedHashMap<>();
    for (StageWeights.Block block : weights.blocks()) {
      blocks.putIfAbsent(types(block), excerpt(block));
    }
    return new StageWeights(
        weights.embedding(),
        List.copyOf(blocks.values()),
        weights
            .head()
            .map(
                head -> new StageWeights.Head(head.norm(), head.output().map(Priming::firstRows))));
  }

  private static List<DType> types(StageWeights.Block block) {
    return Stream.of(
            block.query(),
            block.key(),
            block.value(),
            block.attentionOutput(),
            block.gate(),
            block.up(),
            block.down())
        .map(WeightMatrix::dtype)
        .toList();
  }

  private static StageWeights.Block excerpt(StageWeights.Block block) {
    return new StageWeights.Block(
        block.attentionNorm(),
        firstRows(block.query()),
        firstRows(block.key()),
        firstRows(block.value()),
        firstRows(block.attentionOutput()),
        block.ffnNorm(),
        firstRows(block.gate()),
        firstRows(block.up()),
        firstRows(block.down()));
  }

  private static WeightMatrix firstRows(WeightMatrix weight) {
    int rows = Math.min(WEIGHT_ROWS, weight.rows());
    long bytes = WeightMatrix.bytes(weight.dtype(), rows, weight.columns());
    return new WeightMatrix(
        weight.dtype(), rows, weight.columns(), weight.data().asSlice(0, bytes));
  }
}
