package dev.caravan.bench.cluster;

import dev.caravan.model.checkpoint.Checkpoints;
import dev.caravan.model.shard.Shard;
import dev.caravan.model.step.RuntimeSettings;
import dev.caravan.model.step.StepBatch;
import dev.caravan.worker.layer.LlamaStage;
import dev.caravan.worker.rpc.ConnectedPeers;
import dev.caravan.worker.rpc.LoadedShard;
import dev.caravan.worker.rpc.StepPeers;
import dev.caravan.worker.tensor.Activations;
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
  private final StepPeers peers;
  private final LoadedShard shard;
  private final ExecutorService stepThread;
  private @Nullable LlamaStage stage; // confined to the step thread
  private long bytesSent; // confined to the step thread

  /**
   * What a worker answers to a step.
   *
   * @param logits one array for each wanted row; empty if it holds no vocabulary rows
   * @param checksum over all activations after every all-reduce
   * @param syncBytes sent to peers in the step
   */
  record Answer(List<float[]> logits, long checksum, long syncBytes) {}

  InProcessWorker(Path model, Shard shard, RuntimeSettings settings, ConnectedPeers connected) {
    this.peers = new StepPeers(connected, InProcessCluster.EPOCH, settings);
    this.shard = new LoadedShard(Checkpoints.open(model), shard, settings);
    String name = "stage-%d-rank-%d".formatted(shard.stage(), shard.rank());
    this.stepThread =
        Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().name(name).factory());
  }

  Future<?> load() {
    return stepThread.submit(() -> stage = shard.build(shard.load((done, total) -> {}), peers));
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
  }

  private Answer forward(StepBatch batch) {
    LlamaStage loaded = stage;
    if (loaded == null) {
      throw new IllegalStateException("step before load");
    }
    Activations logits = loaded.forward(batch);
    List<float[]> rows = new ArrayList<>();
    for (int row = 0; logits != null && row < batch.logitsRows(); row++) {
      rows.add(
          logits
              .data()
              .asSlice(logits.offset(row), (long) logits.columns() * Float.BYTES)
              .toArray(ValueLayout.JAVA_FLOAT));
    }
    long before = bytesSent;
    bytesSent = peers.bytesSent();
    return new Answer(rows, peers.checksum(), bytesSent - before);
  }
}
