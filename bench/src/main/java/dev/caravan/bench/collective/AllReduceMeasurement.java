package dev.caravan.bench.collective;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.proto.wire.PayloadType;
import dev.caravan.worker.collective.AllReduceRule;
import dev.caravan.worker.collective.Collective;
import dev.caravan.worker.collective.CollectiveAlgorithm;
import dev.caravan.worker.collective.ExchangeSettings;
import dev.caravan.worker.rpc.ConnectedPeers;
import dev.caravan.worker.rpc.ExchangeGrid;
import dev.caravan.worker.tensor.Activations;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.IntFunction;

/**
 * Ranks in one JVM that sum over gRPC streams on loopback, each on a thread of its own. Confined to
 * one thread; close() ends them.
 */
public final class AllReduceMeasurement implements AutoCloseable {
  private static final int EPOCH = 1;
  private static final int STEP_DEADLINE_MILLIS = 20_000;
  private static final long DEADLINE_SECONDS = 120;
  private static final int WARM_UP = 300;

  private final int ranks;
  private final ExecutorService threads;
  private final List<ExchangeNode> nodes = new ArrayList<>();
  private List<ConnectedPeers> connected = List.of();
  private long step;

  /**
   * Latencies of one kind of all-reduce.
   *
   * @param p50Nanos median over all ranks and repetitions
   * @param p99Nanos 99th percentile
   * @param sentBytes by one rank for one all-reduce
   */
  public record Latency(double p50Nanos, double p99Nanos, double sentBytes) {}

  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Samples(long[] nanos, long sentBytes) {}

  public AllReduceMeasurement(int ranks) {
    this.ranks = ranks;
    this.threads =
        Executors.newFixedThreadPool(
            ranks, Thread.ofPlatform().daemon().name("rank-", 0).factory());
  }

  /**
   * Starts the ranks and connects them.
   *
   * @throws ClusterException INTERNAL if a port cannot be opened
   */
  public void start() {
    List<ExchangeGrid.Member> members = new ArrayList<>();
    try {
      for (int rank = 0; rank < ranks; rank++) {
        ExchangeNode node = new ExchangeNode();
        nodes.add(node);
        members.add(new ExchangeGrid.Member(0, rank, "127.0.0.1", node.start()));
      }
    } catch (IOException e) {
      throw new ClusterException(ErrorCode.INTERNAL, "no loopback port: " + e.getMessage(), e);
    }
    connected = onAll(rank -> nodes.get(rank).connect(new ExchangeGrid(EPOCH, 0, rank, members)));
  }

  /**
   * Measures one size.
   *
   * @param columns of one row of f32 activations
   * @param repetitions that count, after a warm-up of 300
   */
  public Latency measure(PayloadType payload, int columns, int repetitions) {
    ExchangeSettings settings = new ExchangeSettings(EPOCH, payload, STEP_DEADLINE_MILLIS);
    long firstStep = step + 1;
    step += WARM_UP + repetitions;
    List<Samples> samples =
        onAll(rank -> {
          Collective collective =
              connected
                  .get(rank)
                  .collective(settings, CollectiveAlgorithm.AUTO, AllReduceRule.UNMEASURED);
          return nodes.get(rank).call(() -> reduce(collective, columns, firstStep, repetitions));
        });
    long[] nanos = samples.stream().flatMapToLong(s -> Arrays.stream(s.nanos())).sorted().toArray();
    return new Latency(
        nanos[nanos.length / 2],
        nanos[(int) (nanos.length * 0.99)],
        (double) samples.getFirst().sentBytes() / (WARM_UP + repetitions));
  }

  @Override
  public void close() {
    connected.forEach(ConnectedPeers::close);
    nodes.forEach(ExchangeNode::close);
    threads.shutdownNow();
  }

  private static Samples reduce(
      Collective collective, int columns, long firstStep, int repetitions) {
    long[] nanos = new long[repetitions];
    try (Arena arena = Arena.ofConfined()) {
      Activations x = new Activations(arena, 1, columns);
      long before = collective.bytesSent();
      for (int i = 0; i < WARM_UP + repetitions; i++) {
        long start = System.nanoTime();
        collective.allReduceSum(firstStep + i, 0, x, 1);
        if (i >= WARM_UP) {
          nanos[i - WARM_UP] = System.nanoTime() - start;
        }
      }
      return new Samples(nanos, collective.bytesSent() - before);
    }
  }

  private <T> List<T> onAll(IntFunction<T> task) {
    List<Future<T>> futures = new ArrayList<>();
    for (int rank = 0; rank < ranks; rank++) {
      int number = rank;
      futures.add(threads.submit(() -> task.apply(number)));
    }
    List<T> results = new ArrayList<>();
    for (Future<T> future : futures) {
      results.add(get(future));
    }
    return results;
  }

  private static <T> T get(Future<T> future) {
    try {
      return future.get(DEADLINE_SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      throw new ClusterException(
          ErrorCode.DEADLINE_EXCEEDED, "all-reduces took over %d s".formatted(DEADLINE_SECONDS), e);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof ClusterException known
          ? known
          : new ClusterException(ErrorCode.INTERNAL, "an all-reduce failed: " + e.getCause(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ClusterException(ErrorCode.CANCELLED, "interrupted during all-reduces", e);
    }
  }
}
