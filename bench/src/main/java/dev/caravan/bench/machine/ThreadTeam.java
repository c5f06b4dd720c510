package dev.caravan.bench.machine;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Threads that begin at the same moment, each with its own work: what a pool that shares work out
 * cannot promise. Confined to one thread; close() ends the threads.
 */
final class ThreadTeam implements AutoCloseable {
  private static final long DEADLINE_SECONDS = 120;

  private final ExecutorService executor;
  private final int threads;

  /** Work of one thread. */
  @FunctionalInterface
  interface Part {
    void run(int thread);
  }

  ThreadTeam(int threads) {
    this.threads = threads;
    this.executor =
        Executors.newFixedThreadPool(
            threads, Thread.ofPlatform().daemon().name("bench-", 0).factory());
  }

  /**
   * Runs one part on each of the first threads.
   *
   * @return nanoseconds from the common start to the end of the last
   * @throws ClusterException DEADLINE_EXCEEDED after two minutes
   */
  long run(int count, Part part) {
    if (count < 1 || count > threads) {
      throw new IllegalArgumentException("%d of %d threads".formatted(count, threads));
    }
    CyclicBarrier start = new CyclicBarrier(count);
    List<Future<long[]>> times = new ArrayList<>();
    for (int thread = 0; thread < count; thread++) {
      int number = thread;
      times.add(
          executor.submit(() -> {
            await(start);
            long from = System.nanoTime();
            part.run(number);
            return new long[] {from, System.nanoTime()};
          }));
    }
    long first = Long.MAX_VALUE;
    long last = Long.MIN_VALUE;
    for (Future<long[]> time : times) {
      long[] fromTo = get(time);
      first = Math.min(first, fromTo[0]);
      last = Math.max(last, fromTo[1]);
    }
    return last - first;
  }

  @Override
  public void close() {
    executor.shutdownNow();
  }

  private static void await(CyclicBarrier start) {
    try {
      start.await(DEADLINE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted before the start", e);
    } catch (BrokenBarrierException | TimeoutException e) {
      throw new IllegalStateException("the threads did not start together", e);
    }
  }

  private static long[] get(Future<long[]> time) {
    try {
      return time.get(DEADLINE_SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      throw new ClusterException(
          ErrorCode.DEADLINE_EXCEEDED,
          "a measurement took over %d s; is the machine overloaded?".formatted(DEADLINE_SECONDS),
          e);
    } catch (ExecutionException e) {
      throw new ClusterException(ErrorCode.INTERNAL, "a measurement failed: " + e.getCause(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ClusterException(ErrorCode.CANCELLED, "interrupted during a measurement", e);
    }
  }
}
