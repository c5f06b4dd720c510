package dev.caravan.coordinator.rpc;

import dev.caravan.coordinator.rpc.Cluster.WorkerMemory;
import dev.caravan.model.checkpoint.Checkpoint;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.proto.wire.SettingsCodec;
import dev.caravan.proto.wire.ShardCodec;
import dev.caravan.proto.worker.v1.LoadReady;
import dev.caravan.proto.worker.v1.LoadRequest;
import dev.caravan.proto.worker.v1.Peer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Gives every worker its shard and waits until all are ready. Confined to one thread. */
final class ShardDeployment {
  private static final Logger LOG = LoggerFactory.getLogger(ShardDeployment.class);

  private final ClusterSettings settings;
  private final Checkpoint checkpoint;
  private final Formation formation;

  ShardDeployment(ClusterSettings settings, Checkpoint checkpoint, Formation formation) {
    this.settings = settings;
    this.checkpoint = checkpoint;
    this.formation = formation;
  }

  /**
   * Loads all shards at once; the first failure of any worker ends the wait.
   *
   * @return what each worker's shard takes, in the plan's order
   */
  List<WorkerMemory> load(Duration deadline, LoadListener listener) {
    List<WorkerConnection> workers = formation.workers();
    AtomicLongArray done = new AtomicLongArray(workers.size());
    AtomicLongArray total = new AtomicLongArray(workers.size());
    AtomicBoolean primes = new AtomicBoolean();
    List<CompletableFuture<LoadReady>> loads = new ArrayList<>();
    CompletableFuture<Void> failure = new CompletableFuture<>();
    for (int i = 0; i < workers.size(); i++) {
      int index = i;
      CompletableFuture<LoadReady> load =
          workers
              .get(i)
              .load(
                  request(workers.get(i)),
                  deadline,
                  (doneBytes, totalBytes) -> {
                    done.set(index, doneBytes);
                    total.set(index, totalBytes);
                    listener.loaded(sum(done), sum(total));
                    if (isAll(done, total) && !primes.getAndSet(true)) {
                      listener.priming();
                    }
                  });
      load.whenComplete((ready, error) -> {
        if (error != null) {
          failure.completeExceptionally(error);
        }
      });
      loads.add(load);
    }
    formation.failure().thenAccept(failure::completeExceptionally);
    await(loads, failure, deadline);
    List<WorkerMemory> memory = new ArrayList<>();
    for (int i = 0; i < workers.size(); i++) {
      memory.add(ready(workers.get(i), loads.get(i).join()));
    }
    return memory;
  }

  private WorkerMemory ready(WorkerConnection worker, LoadReady ready) {
    LOG.info(
        "epoch={} worker={} stage={} rank={} {} its shard, {} MiB",
        formation.epoch(),
        worker.member().id(),
        worker.shard().stage(),
        worker.shard().rank(),
        ready.getReadBytes() == 0 ? "kept" : "loaded",
        ready.getWeightBytes() >> 20);
    return new WorkerMemory(worker.member(), ready.getWeightBytes(), ready.getKvBytes());
  }

  private static void await(
      List<CompletableFuture<LoadReady>> loads,
      CompletableFuture<Void> failure,
      Duration deadline) {
    CompletableFuture<Void> all = CompletableFuture.allOf(loads.toArray(CompletableFuture[]::new));
    try {
      CompletableFuture.anyOf(all, failure).get(deadline.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException | CompletionException e) {
      if (e.getCause() instanceof ClusterException cause) {
        throw cause;
      }
      throw new ClusterException(ErrorCode.INTERNAL, "loading failed: " + e.getCause(), e);
    } catch (TimeoutException e) {
      throw new ClusterException(
          ErrorCode.DEADLINE_EXCEEDED,
          "the model was not loaded within %d s".formatted(deadline.toSeconds()),
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ClusterException(ErrorCode.CANCELLED, "interrupted while the model was loaded", e);
    }
  }

  private LoadRequest request(WorkerConnection worker) {
    LoadRequest.Builder request =
        LoadRequest.newBuilder()
            .setEpoch(formation.epoch())
            .setModelPath(checkpoint.path().toAbsolutePath().toString())
            .setModelFingerprint(checkpoint.fingerprint())
            .setShard(ShardCodec.encode(worker.shard()))
            .setSettings(SettingsCodec.encode(settings.runtime()));
    for (WorkerConnection peer : formation.workers()) {
      request.addPeers(
          Peer.newBuilder()
              .setStage(peer.shard().stage())
              .setRank(peer.shard().rank())
              .setHost(peer.member().host())
              .setPort(peer.member().port()));
    }
    return request.build();
  }

  /** True once every worker has said that it has all its bytes. */
  private static boolean isAll(AtomicLongArray done, AtomicLongArray total) {
    return IntStream.range(0, total.length())
        .allMatch(i -> total.get(i) > 0 && done.get(i) == total.get(i));
  }

  private static long sum(AtomicLongArray values) {
    long sum = 0;
    for (int i = 0; i < values.length(); i++) {
      sum += values.get(i);
    }
    return sum;
  }
}
