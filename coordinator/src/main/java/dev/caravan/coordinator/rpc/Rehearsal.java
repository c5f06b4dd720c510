package dev.caravan.coordinator.rpc;

import dev.caravan.model.step.RowQuery;
import dev.caravan.model.step.RuntimeSettings;
import dev.caravan.model.step.SequenceChunk;
import dev.caravan.model.step.StepBatch;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.ToLongFunction;
import java.util.stream.IntStream;

/**
 * Runs steps that nobody asked for, before the first that somebody did, until the JIT has compiled
 * the way of a step through the whole cluster. Confined to one thread.
 *
 * <p>First come steps that nobody computes: an answer takes so few messages that on its own the way
 * of a message would be interpreted for minutes. Then a sequence is decoded, with a short prompt
 * now and then, until that gets no faster and the compilers have little left to do: where cores are
 * few, they take them from the first request. It is like a request of some length, in tokens,
 * positions and KV blocks: what the JIT has not seen yet it compiles again when it comes. What it
 * writes to the KV cache is overwritten by the first sequence that gets the blocks.
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

  /** The part of a span that compilers may still be at work for. */
  private static final double STILL_COMPILING = 0.15;

  /** One quiet span may lie between two busy ones: the JIT waits until it has counted enough. */
  private static final int SETTLED_SPANS = 2;

  private static final int PROMPT_ROWS = 16;
  private static final int BLOCKS = 8;

  /** Coprime to the sizes of vocabularies: small and large ids take turns. */
  private static final long TOKEN_STRIDE = 7_919;

  private final ToLongFunction<StepBatch> echo;
  private final Consumer<StepBatch> execute;
  private final int promptRows;
  private final int positions;
  private final int[] blocks;
  private final int vocabSize;
  private final LongSupplier nanoClock;

  /** As the latest echo said. */
  private long jitMillis;

  /**
   * @param echo returns when all workers have answered a step without computing it: how long the
   *     JIT has worked since the start of its process, in milliseconds
   * @param execute returns when all workers have computed it
   * @param settings of the workers
   */
  Rehearsal(
      ToLongFunction<StepBatch> echo,
      Consumer<StepBatch> execute,
      RuntimeSettings settings,
      int vocabSize,
      LongSupplier nanoClock) {
    this.echo = echo;
    this.execute = execute;
    this.promptRows =
        Math.min(Math.min(PROMPT_ROWS, settings.maxBatchRows()), settings.contextLength());
    this.blocks = IntStream.range(0, Math.min(BLOCKS, settings.kvBlocks())).toArray();
    this.positions =
        Math.min(blocks.length * RuntimeSettings.BLOCK_POSITIONS, settings.contextLength());
    this.vocabSize = vocabSize;
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
    int decoded = 0;
    int settled = 0;
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
        execute.accept(batch(epoch, decoded++ % positions, 1));
        spanSteps++;
        now = nanoClock.getAsLong();
      } while (now - spanStart < SPAN_NANOS);
      double nanosPerStep = (double) (now - spanStart) / spanSteps;
      jitMillis = echo.applyAsLong(batch(epoch, 0, 1));
      steps += spanSteps + 1;
      double jitNanos = TimeUnit.MILLISECONDS.toNanos(jitMillis - jitBefore);
      boolean compiling = jitNanos > STILL_COMPILING * (now - spanStart);
      settled = nanosPerStep > FASTER * before && !compiling ? settled + 1 : 0;
      // A step that is longer than a span has no use for more than two.
      boolean enough = spanSteps == 1 || settled == SETTLED_SPANS;
      if (settled > 0 && enough || now - start > DECODE_BOUND_NANOS) {
        return steps;
      }
      before = nanosPerStep;
    }
  }

  private StepBatch batch(int epoch, int position, int count) {
    List<RowQuery> last = List.of(new RowQuery.Largest(1));
    int[] tokens =
        IntStream.range(position, position + count)
            .map(i -> (int) (i * TOKEN_STRIDE % vocabSize))
            .toArray();
    SequenceChunk chunk = new SequenceChunk(position, tokens, blocks, last);
    return new StepBatch(epoch, STEP, List.of(chunk));
  }
}
