package dev.caravan.bench.cluster;

import dev.caravan.coordinator.cli.Session;
import dev.caravan.coordinator.generate.Generation;
import dev.caravan.coordinator.generate.GenerationLoop;
import dev.caravan.coordinator.sample.SamplingParameters;
import dev.caravan.coordinator.schedule.BlockAllocator;
import dev.caravan.coordinator.schedule.Scheduler;
import dev.caravan.model.checkpoint.WeightName;
import dev.caravan.model.checkpoint.WeightShape;
import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.shard.ShardSizes;
import dev.caravan.model.shard.WeightTypes;
import dev.caravan.model.step.RuntimeSettings;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;

/**
 * A cluster that answers made-up requests of a given size. Confined to one thread; does not own the
 * session.
 */
public final class LoadedCluster {
  private final Session session;
  private final RecordingExecutor executor;
  private final GenerationLoop loop;
  private final Random random = new Random(1);

  /**
   * @param session started, and used by nobody else
   */
  public LoadedCluster(Session session) {
    this.session = session;
    this.executor = new RecordingExecutor(session.cluster().executor());
    RuntimeSettings runtime = session.runtime();
    this.loop =
        new GenerationLoop(
            new Scheduler(
                new BlockAllocator(runtime.kvBlocks()),
                runtime.maxBatchRows(),
                runtime.maxLogitsRows(config().vocabSize())),
            executor,
            runtime.contextLength(),
            session.cluster().epoch());
  }

  /**
   * Answers so many requests at once.
   *
   * @param promptTokens random ids of each
   * @param outputTokens of each, the likeliest ones
   * @return all steps in order
   */
  public List<StepSample> answer(int requests, int promptTokens, int outputTokens) {
    for (int i = 0; i < requests; i++) {
      int[] prompt = random.ints(promptTokens, 0, config().vocabSize()).toArray();
      Generation.Request request =
          new Generation.Request(
              prompt, outputTokens, session.contextLength(), Set.of(), SamplingParameters.greedy());
      loop.submit(new Generation(request, id -> {}, System::nanoTime).sequence());
    }
    List<StepSample> steps = new ArrayList<>();
    while (!loop.isIdle()) {
      long start = System.nanoTime();
      loop.step();
      steps.add(executor.lastStep(System.nanoTime() - start));
    }
    return steps;
  }

  /** Bytes of weights that one step reads on all workers: all but the token embedding. */
  public long weightBytes() {
    WeightTypes types = WeightTypes.of(session.checkpoint());
    return session.cluster().plan().shards().stream()
        .mapToLong(shard -> ShardSizes.of(config(), types, shard).weightBytes())
        .sum();
  }

  /**
   * Floating-point operations of matrix products with weights; those of attention are not counted.
   *
   * @param rows computed
   * @param logitsRows of them that need logits
   */
  public double operations(long rows, long logitsRows) {
    LlamaConfig config = config();
    double blocks = 0;
    for (WeightName.Kind kind : WeightName.Kind.values()) {
      if (kind.isPerLayer()) {
        blocks += elements(kind) * config.layers();
      }
    }
    return 2 * (blocks * rows + elements(WeightName.Kind.OUTPUT) * logitsRows);
  }

  private double elements(WeightName.Kind kind) {
    WeightShape shape = WeightShape.of(kind, config());
    return shape.rows() == 1 ? 0 : (double) shape.rows() * shape.columns();
  }

  private LlamaConfig config() {
    return session.checkpoint().config();
  }
}
