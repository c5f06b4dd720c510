package dev.caravan.coordinator.cli;

import dev.caravan.coordinator.generate.GenerationLoop;
import dev.caravan.coordinator.rpc.Cluster;
import dev.caravan.coordinator.rpc.ClusterSettings;
import dev.caravan.coordinator.rpc.LoadListener;
import dev.caravan.coordinator.schedule.BlockAllocator;
import dev.caravan.coordinator.schedule.Scheduler;
import dev.caravan.coordinator.text.Tokenizer;
import dev.caravan.model.checkpoint.Checkpoint;
import dev.caravan.model.checkpoint.Checkpoints;
import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.shard.ShardPlan;
import dev.caravan.model.shard.ShardPlanner;
import dev.caravan.model.shard.ShardSizes;
import dev.caravan.model.shard.WeightTypes;
import dev.caravan.model.step.RuntimeSettings;
import dev.caravan.model.vocabulary.Vocabulary;
import java.nio.file.Path;
import java.util.Optional;

/** A model loaded on a cluster, for as long as one command runs. */
public final class Session implements AutoCloseable {
  /** Until the cluster is up. */
  private static final int NO_EPOCH = 0;

  private final Checkpoint checkpoint;
  private final Cluster cluster;
  private final GenerationLoop loop;
  private final ClusterSettings settings;
  private final long startNanos;
  private double loadSeconds;

  private Session(
      Checkpoint checkpoint,
      Cluster cluster,
      GenerationLoop loop,
      ClusterSettings settings,
      long startNanos) {
    this.checkpoint = checkpoint;
    this.cluster = cluster;
    this.loop = loop;
    this.settings = settings;
    this.startNanos = startNanos;
  }

  /**
   * Opens a model and plans it; starts nothing yet, so that bad input is told before a long load.
   *
   * @throws dev.caravan.model.error.ClusterException what is wrong with the model or the options
   */
  static Session open(Path model, ClusterOptions options, OutputOptions output) {
    return open(model, options, output, 1);
  }

  /**
   * Opens a model for several sequences at once.
   *
   * @param sequences most of them
   * @throws dev.caravan.model.error.ClusterException what is wrong with the model or the options
   */
  public static Session open(
      Path model, ClusterOptions options, OutputOptions output, int sequences) {
    long start = System.nanoTime();
    Checkpoint checkpoint = Checkpoints.open(model);
    try {
      LlamaConfig config = checkpoint.config();
      options.check(config);
      WeightTypes types = WeightTypes.of(checkpoint);
      ShardPlan plan = ShardPlanner.plan(config, types, options.stages, options.ranks());
      long largestShardBytes =
          plan.shards().stream()
              .mapToLong(shard -> ShardSizes.of(config, types, shard).weightBytes())
              .max()
              .orElse(0);
      ClusterSettings settings =
          options.settings(checkpoint.path(), config, largestShardBytes, sequences, output.verbose);
      Cluster cluster = new Cluster(settings, checkpoint, plan);
      return new Session(checkpoint, cluster, loop(checkpoint, cluster, settings), settings, start);
    } catch (RuntimeException e) {
      checkpoint.close();
      throw e;
    }
  }

  /**
   * Starts the cluster and loads the model onto it.
   *
   * @throws dev.caravan.model.error.ClusterException whatever kept it from coming up
   */
  public void start() {
    start(LoadListener.NONE);
  }

  /**
   * Starts the cluster and loads the model onto it.
   *
   * @param listener hears how far that is, besides the progress on standard error
   * @throws dev.caravan.model.error.ClusterException whatever kept it from coming up
   */
  void start(LoadListener listener) {
    try (Progress progress = new Progress("loading")) {
      cluster.start(progress.with(listener));
    }
    started();
  }

  /** As {@link #start(LoadListener)}, but waits for workers from elsewhere without end. */
  void startPatiently(LoadListener listener) {
    try (Progress progress = new Progress("loading")) {
      cluster.startPatiently(progress.with(listener));
    }
    started();
  }

  private void started() {
    loop.enterEpoch(cluster.epoch());
    loadSeconds = (System.nanoTime() - startNanos) / 1e9;
  }

  public Checkpoint checkpoint() {
    return checkpoint;
  }

  public Cluster cluster() {
    return cluster;
  }

  GenerationLoop loop() {
    return loop;
  }

  /**
   * Returns the model's tokenizer.
   *
   * @throws dev.caravan.model.error.ClusterException INVALID_REQUEST if it has none
   */
  Tokenizer tokenizer() {
    return TokenizerSource.of(checkpoint);
  }

  Optional<Vocabulary> vocabulary() {
    return checkpoint.vocabulary();
  }

  /** Bytes that all workers together sent to each other for each row computed. */
  double syncBytesPerToken() {
    return loop.rows() == 0 ? 0 : (double) loop.syncBytes() / loop.rows();
  }

  /**
   * Checks ids against vocabulary and context.
   *
   * @throws dev.caravan.model.error.ClusterException INVALID_REQUEST or CONTEXT_TOO_LONG
   */
  void check(int[] ids, int minLength, String where) {
    IdsFiles.check(ids, checkpoint.config().vocabSize(), minLength, where);
    loop.checkLength(ids.length);
  }

  /** How the workers compute. */
  public RuntimeSettings runtime() {
    return settings.runtime();
  }

  public int contextLength() {
    return settings.runtime().contextLength();
  }

  /** From opening the model to the last worker being ready. */
  double loadSeconds() {
    return loadSeconds;
  }

  @Override
  public void close() {
    cluster.close();
    checkpoint.close();
  }

  private static GenerationLoop loop(
      Checkpoint checkpoint, Cluster cluster, ClusterSettings settings) {
    Scheduler scheduler =
        new Scheduler(
            new BlockAllocator(settings.runtime().kvBlocks()),
            settings.runtime().maxBatchRows(),
            settings.runtime().maxLogitsRows(checkpoint.config().vocabSize()));
    return new GenerationLoop(
        scheduler, cluster.executor(), settings.runtime().contextLength(), NO_EPOCH);
  }
}
