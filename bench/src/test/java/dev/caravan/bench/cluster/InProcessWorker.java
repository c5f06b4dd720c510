package dev.caravan.bench.cluster;

import dev.caravan.model.checkpoint.Checkpoints;
import dev.caravan.model.shard.Shard;
import dev.caravan.model.step.RowAnswer;
import dev.caravan.model.step.RowQuery;
import dev.caravan.model.step.RuntimeSettings;
import dev.caravan.model.step.StepBatch;
import dev.caravan.model.step.StepResult.WorkerTimes;
import dev.caravan.worker.layer.LlamaStage;
import dev.caravan.worker.layer.RowAnswers;
import dev.caravan.worker.rpc.ConnectedPeers;
import dev.caravan.worker.rpc.LoadedShard;
import dev.caravan.worker.rpc.StepPeers;
import dev.caravan.worker.tensor.Activations;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** One worker of an in-process cluster: a shard, its peers and its step thread. */
final class InProcessWorker implements AutoCloseable {
  private final Arena activations = Arena.ofShared();
  private final StepPeers peers;
  private final LoadedShard shard;
  private final ExecutorService stepThread;
  private @Nullable LlamaStage stage; // confined to the step thread

  /**
   * What a worker answers to a step.
   *
   * @param rows one answer for each row that answers; empty if it holds no vocabulary rows
   * @param checksum over all activations after every all-reduce
   * @param times that the step took
   */
  record Answer(List<RowAnswer> rows, long checksum, WorkerTimes times) {}

  InProcessWorker(Path model, Shard shard, RuntimeSettings settings, ConnectedPeers connected) {
    this.peers = new StepPeers(connected, InProcessCluster.EPOCH, settings);
    this.shard = new LoadedShard(Checkpoints.open(model), shard, settings);
    String name = "stage-%d-rank-%d".formatted(shard.stage(), shard.rank());
    this.stepThread =
        Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().name(name).factory());
  }

  Future<?> load() {
    return stepThread.submit(
        () -> stage = shard.build(shard.load((done, total) -> {}), peers, activations));
  }

  Future<Answer> step(StepBatch batch) {
    return stepThread.submit(() -> {
      try {
        return forward(batch);
      } catch (RuntimeException | Error e) {
        // As a worker that ends: peers that wait for it fail at once.
        peers.close();
        throw e;
      }
    });
  }

  /** Returns all logits of a row of the latest step; none if it holds no vocabulary rows. */
  Future<float[]> recall(int row) {
    return stepThread.submit(() -> logits(loaded().answers(), row));
  }

  @Override
  public void close() {
    peers.close();
    stepThread.shutdown();
    try {
      if (!stepThread.awaitTermination(30, TimeUnit.SECONDS)) {
        throw new IllegalStateException("a step thread does not end");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    shard.close();
    activations.close();
  }

  private LlamaStage loaded() {
    LlamaStage loaded = stage;
    if (loaded == null) {
      throw new IllegalStateException("step before load");
    }
    return loaded;
  }

  private Answer forward(StepBatch batch) {
    LlamaStage loaded = loaded();
    long bytes = peers.bytesSent();
    long sync = peers.nanos();
    long wait = peers.waitNanos();
    long start = System.nanoTime();
    loaded.forward(batch);
    long nanos = System.nanoTime() - start;
    WorkerTimes times =
        new WorkerTimes(
            nanos - (peers.nanos() - sync),
            peers.nanos() - sync,
            peers.waitNanos() - wait,
            peers.bytesSent() - bytes);
    return new Answer(rows(loaded.answers()), peers.checksum(), times);
  }

  private static List<RowAnswer> rows(@Nullable RowAnswers answers) {
    List<RowAnswer> rows = new ArrayList<>();
    for (int i = 0; answers != null && i < answers.count(); i++) {
      rows.add(
          answers.query(i) instanceof RowQuery.All
              ? new RowAnswer.All(logits(answers, i))
              : answers.candidates(i));
    }
    return rows;
  }

  private static float[] logits(@Nullable RowAnswers answers, int row) {
    if (answers == null) {
      return new float[0];
    }
    Activations logits = answers.logits();
    return logits
        .data()
        .asSlice(logits.offset(row), (long) logits.columns() * Float.BYTES)
        .toArray(ValueLayout.JAVA_FLOAT);
  }
}
