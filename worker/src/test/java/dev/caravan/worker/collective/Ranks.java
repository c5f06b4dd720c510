package dev.caravan.worker.collective;

import dev.caravan.worker.tensor.Activations;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;

/** Runs the ranks of a test, one thread each, and makes their inputs. */
public final class Ranks {
  private static final int TEST_DEADLINE_SECONDS = 60;
  private static final int CONDITION_DEADLINE_SECONDS = 25;

  private Ranks() {}

  /** What one rank does. */
  public interface Work {
    void run(int rank) throws Exception;
  }

  /** Runs all ranks at once; the first failure of the lowest rank is thrown. */
  public static void runAll(int ranks, Work work) throws Exception {
    try (ExecutorService threads = Executors.newFixedThreadPool(ranks)) {
      List<Future<?>> running = new ArrayList<>();
      for (int rank = 0; rank < ranks; rank++) {
        int self = rank;
        running.add(
            threads.submit(() -> {
              work.run(self);
              return null;
            }));
      }
      try {
        for (Future<?> future : running) {
          future.get(TEST_DEADLINE_SECONDS, TimeUnit.SECONDS);
        }
      } catch (ExecutionException e) {
        threads.shutdownNow();
        throw e.getCause() instanceof Exception cause ? cause : e;
      } catch (TimeoutException e) {
        threads.shutdownNow();
        throw e;
      }
    }
  }

  /** Does something again and again until a condition holds; fails if it does not in time. */
  public static void until(BooleanSupplier condition, Runnable work) {
    long start = System.nanoTime();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - start > TimeUnit.SECONDS.toNanos(CONDITION_DEADLINE_SECONDS)) {
        throw new IllegalStateException(
            "the condition does not hold after %d s".formatted(CONDITION_DEADLINE_SECONDS));
      }
      work.run();
    }
  }

  /** Returns the same values for the same rank, of mixed magnitude. */
  public static Activations partial(Arena arena, int rank, int rows, int columns) {
    Activations x = new Activations(arena, rows, columns);
    Random random = new Random(1000 + rank);
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns; column++) {
        x.set(row, column, (float) (random.nextGaussian() * Math.exp(random.nextGaussian() * 3)));
      }
    }
    return x;
  }

  /** Returns the used values, row by row. */
  public static float[] values(Activations x, int rows) {
    float[] values = new float[rows * x.columns()];
    for (int i = 0; i < values.length; i++) {
      values[i] = x.get(i / x.columns(), i % x.columns());
    }
    return values;
  }
}
