package dev.caravan.bench.cluster;

import dev.caravan.coordinator.cluster.RankAnswers;
import dev.caravan.coordinator.cluster.StepExecutor;
import dev.caravan.coordinator.generate.GenerationLoop;
import dev.caravan.coordinator.schedule.BlockAllocator;
import dev.caravan.coordinator.schedule.Scheduler;
import dev.caravan.model.checkpoint.Checkpoint;
import dev.caravan.model.checkpoint.Checkpoints;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.model.shard.IntRange;
import dev.caravan.model.shard.Shard;
import dev.caravan.model.shard.ShardPlan;
import dev.caravan.model.shard.ShardPlanner;
import dev.caravan.model.shard.WeightTypes;
import dev.caravan.model.step.RowAnswer;
import dev.caravan.model.step.RuntimeSettings;
import dev.caravan.model.step.StepBatch;
import dev.caravan.model.step.StepResult;
import dev.caravan.model.step.StepResult.WorkerTimes;
import dev.caravan.worker.rpc.ConnectedPeers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

/**
 * A whole cluster in this JVM: real shards, layers and collectives, a thread for each worker, the
 * real generation loop, and no network. Every step compares the checksums of a stage's ranks.
 *
 * <p>Confined to one thread at a time.
 */
final class InProcessCluster implements StepExecutor, AutoCloseable {
  static final int EPOCH = 1;

  private static final int STEP_DEADLINE_SECONDS = 120;

  private final ShardPlan plan;
  private final RuntimeSettings settings;
  private final int vocabSize;
  private final List<InProcessWorker> workers = new ArrayList<>();
  private long firstStep; // loops count from 1; steps of the cluster must go on increasing
  private long lastStep;
  private int recalls;

  private InProcessCluster(ShardPlan plan, RuntimeSettings settings, int vocabSize) {
    this.plan = plan;
    this.settings = settings;
    this.vocabSize = vocabSize;
  }

  /**
   * Plans a model on a grid and loads it.
   *
   * @throws ClusterException UNPLACEABLE, as {@link ShardPlanner} says
   */
  static InProcessCluster start(Path model, int stages, int ranks, RuntimeSettings settings) {
    InProcessCluster cluster;
    try (Checkpoint checkpoint = Checkpoints.open(model)) {
      ShardPlan plan =
          ShardPlanner.plan(checkpoint.config(), WeightTypes.of(checkpoint), stages, ranks);
      cluster = new InProcessCluster(plan, settings, checkpoint.config().vocabSize());
    }
    try {
      List<ConnectedPeers> peers = InProcessPeers.connect(stages, ranks);
      for (int i = 0; i < peers.size(); i++) {
        cluster.workers.add(
            new InProcessWorker(model, cluster.plan.shards().get(i), settings, peers.get(i)));
      }
      List<Future<?>> loads = new ArrayList<>();
      cluster.workers.forEach(worker -> loads.add(worker.load()));
      for (Future<?> load : loads) {
        await(load);
      }
      return cluster;
    } catch (RuntimeException e) {
      cluster.close();
      throw e;
    }
  }

  /** Returns a loop with all KV blocks free. Only one may be used at a time. */
  GenerationLoop loop() {
    return loop(settings.maxBatchRows(), 0);
  }

  /**
   * As {@link #loop()}, with smaller steps and other KV blocks.
   *
   * @param stepRows most rows of a step
   * @param takenBlocks the lowest ones, taken away
   */
  GenerationLoop loop(int stepRows, int takenBlocks) {
    BlockAllocator allocator = new BlockAllocator(settings.kvBlocks());
    for (int i = 0; i < takenBlocks; i++) {
      allocator.allocate();
    }
    int logitsRows = Math.min(stepRows, settings.maxLogitsRows(vocabSize));
    Scheduler scheduler = new Scheduler(allocator, stepRows, logitsRows);
    return new GenerationLoop(scheduler, freshSteps(), settings.contextLength(), EPOCH);
  }

  /**
   * Returns the cluster for somebody who counts steps from 1, and who is the only one to use it.
   */
  StepExecutor freshSteps() {
    firstStep = lastStep;
    return this;
  }

  ShardPlan plan() {
    return plan;
  }

  @Override
  public StepResult execute(StepBatch ofLoop) {
    lastStep = firstStep + ofLoop.step();
    StepBatch batch = new StepBatch(ofLoop.epoch(), lastStep, ofLoop.chunks());
    List<InProcessWorker.Answer> answers = answers(worker -> worker.step(batch));
    checkSameActivations(batch, answers);
    return join(batch, answers);
  }

  @Override
  public float[] recall(StepBatch ofLoop, int row) {
    float[] logits = new float[vocabSize];
    List<float[]> parts = answers(worker -> worker.recall(row));
    for (int i = 0; i < parts.size(); i++) {
      IntRange range = plan.shards().get(i).vocabRows();
      System.arraycopy(parts.get(i), 0, logits, range.start(), range.size());
    }
    recalls++;
    return logits;
  }

  /** Rows whose logits were recalled. */
  int recalls() {
    return recalls;
  }

  private <T> List<T> answers(Function<InProcessWorker, Future<T>> ask) {
    List<Future<T>> running = new ArrayList<>();
    for (InProcessWorker worker : workers) {
      running.add(ask.apply(worker));
    }
    List<T> answers = new ArrayList<>();
    RuntimeException failure = null;
    for (Future<T> future : running) {
      try {
        answers.add(await(future));
      } catch (RuntimeException e) {
        // Whoever fails first takes its peers down with WORKER_LOST: the other error is the cause.
        if (failure == null || isLoss(failure)) {
          failure = e;
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
    return answers;
  }

  @Override
  public void close() {
    workers.forEach(InProcessWorker::close);
    workers.clear();
  }

  private void checkSameActivations(StepBatch batch, List<InProcessWorker.Answer> answers) {
    for (int i = 0; i < answers.size(); i++) {
      long first = answers.get(i - i % plan.ranks()).checksum();
      if (answers.get(i).checksum() != first) {
        throw new ClusterException(
            ErrorCode.INTERNAL,
            "step %d: activations differ between ranks: checksum %016x on rank 0, %016x on %s"
                .formatted(batch.step(), first, answers.get(i).checksum(), plan.shards().get(i)));
      }
    }
  }

  private StepResult join(StepBatch batch, List<InProcessWorker.Answer> answers) {
    List<RowAnswer> rows =
        ranks().join(batch, answers.stream().map(InProcessWorker.Answer::rows).toList());
    List<WorkerTimes> times = answers.stream().map(InProcessWorker.Answer::times).toList();
    return new StepResult(batch.step(), rows, times);
  }

  private RankAnswers ranks() {
    return new RankAnswers(plan.shards().stream().map(Shard::vocabRows).toList(), vocabSize);
  }

  private static boolean isLoss(RuntimeException e) {
    return e instanceof ClusterException error && error.code() == ErrorCode.WORKER_LOST;
  }

  private static <T> T await(Future<T> future) {
    try {
      return future.get(STEP_DEADLINE_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw e.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    } catch (TimeoutException e) {
      throw new IllegalStateException(
          "a worker did not answer in %d s".formatted(STEP_DEADLINE_SECONDS), e);
    }
  }
}
