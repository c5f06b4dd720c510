package dev.caravan.coordinator.rpc;

import dev.caravan.model.step.RowQuery;
import dev.caravan.model.step.SequenceChunk;
import dev.caravan.model.step.StepBatch;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.ToLongFunction;

/**
 * Runs steps that nobody asked for, before the first that somebody did, until the JIT has compiled
 * the way of a step through the whole cluster. Confined to one thread.
 *
 * <p>First come steps that nobody computes: an answer takes so few messages that on its own the way
 * of a message would be interpreted for minutes. Then a sequence is decoded, with a short prompt
 * now and then, until that gets no faster and the compilers of the workers have little left to do:
 * where cores are few, they take them from the first request. What it writes to the KV cache is
 * overwritten by the first sequence that gets the block.
 */
final class Rehearsal {
  /** Before the first step, whose number is 1. */
  private static final long STEP = 0;

  /** Messages after which the JIT compiles for good, and some more for it to do so. */
  private static final int ECHOES = 8_000;

  private static final long ECHO_BOUND_NANOS = TimeUnit.MILLISECONDS.toNanos(2_500);
  private static final long DECODE_BOUND_NANOS = TimeUnit.SECONDS.toNanos(20);

  /** Steps are compared by spans of this length: long enough for the JIT to get something done. */
  private static final long SPAN_NANOS = TimeUnit.MILLISECONDS.toNanos(1_000);

  /** A span whose steps take less than this part of those before shows that it still pays. */
  private static final double FASTER = 0.9;

  /** The part of a span that a worker's compilers may still be at work for. */
  private static final double STILL_COMPILING = 0.15;

  private static final int POSITIONS = 16;

  private final ToLongFunction<StepBatch> echo;
  private final Consumer<StepBatch> execute;
  private final int promptRows;
  private final LongSupplier nanoClock;

  /** As the latest echo said. */
  private long jitMillis;

  /**
   * @param echo returns when all workers have answered a step without computing it: how long the
   *     JIT of one has worked since its start, in milliseconds
   * @param execute returns when all workers have computed it
   * @param maxRows of a step
   */
  Rehearsal(
      ToLongFunction<StepBatch> echo,
      Consumer<StepBatch> execute,
      int maxRows,
      LongSupplier nanoClock) {
    this.echo = echo;
    this.execute = execute;
    this.promptRows = Math.min(POSITIONS, maxRows);
    this.nanoClock = nanoClock;
  }

  /**
   * Runs for some seconds, or for two steps where one takes longer.
   *
   * @return the number of steps, echoes included
   * @throws dev.caravan.model.error.ClusterException if a worker does not answer, or what a step
   *     throws
   */
  int run(int epoch) {
    return echoes(epoch) + decode(epoch);
  }

  private int echoes(int epoch) {
    long start = nanoClock.getAsLong();
    int steps = 0;
    while (steps < ECHOES && nanoClock.getAsLong() - start < ECHO_BOUND_NANOS) {
      jitMillis = echo.applyAsLong(batch(epoch, 0, 1));
      steps++;
    }
    return steps;
  }

  private int decode(int epoch) {
    long start = nanoClock.getAsLong();
    int steps = 0;
    double before = Double.POSITIVE_INFINITY;
    while (true) {
      if (before * promptRows < SPAN_NANOS) {
        execute.accept(batch(epoch, 0, promptRows));
        steps++;
      }
      long jitBefore = jitMillis;
      long spanStart = nanoClock.getAsLong();
      int spanSteps = 0;
      long now;
      do {
        execute.accept(batch(epoch, steps % POSITIONS, 1));
        steps++;
        spanSteps++;
        now = nanoClock.getAsLong();
      } while (now - spanStart < SPAN_NANOS);
      double nanosPerStep = (double) (now - spanStart) / spanSteps;
      jitMillis = echo.applyAsLong(batch(epoch, 0, 1));
      steps++;
      double jitNanos = TimeUnit.MILLISECONDS.toNanos(jitMillis - jitBefore);
      boolean compiling = jitNanos > STILL_COMPILING * (now - spanStart);
      boolean settled = nanosPerStep > FASTER * before && !compiling;
      if (settled || now - start > DECODE_BOUND_NANOS) {
        return steps;
      }
      before = nanosPerStep;
    }
  }

  private static StepBatch batch(int epoch, int position, int tokens) {
    List<RowQuery> last = List.of(new RowQuery.Largest(1));
    SequenceChunk chunk = new SequenceChunk(position, new int[tokens], new int[] {0}, last);
    return new StepBatch(epoch, STEP, List.of(chunk));
  }
}
