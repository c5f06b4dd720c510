package dev.caravan.worker.collective;

import dev.caravan.worker.tensor.Activations;
import java.lang.foreign.Arena;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Runs all-reduces of nothing before the first step, until the JIT has compiled the way between the
 * ranks: a step makes so few that a request of minutes would not get there.
 *
 * <p>Rank 0 decides when it is enough; each all-reduce carries the decision. Confined to the step
 * thread.
 */
public final class CollectiveWarmUp {
  /** Before the first step, whose number is 1. */
  private static final long STEP = 0;

  /** As many as a small model's hidden state. */
  private static final int COLUMNS = 2 << 10;

  /** Calls after which the JIT compiles for good, and some more for it to do so. */
  private static final int ROUNDS = 12_000;

  private static final long BOUND_NANOS = TimeUnit.SECONDS.toNanos(6);

  private final Collective collective;
  private final LongSupplier nanoClock;

  public CollectiveWarmUp(Collective collective, LongSupplier nanoClock) {
    this.collective = collective;
    this.nanoClock = nanoClock;
  }

  /**
   * Runs until rank 0 has enough; all ranks call this at the same time.
   *
   * @param wanted whether this is worth its time; what rank 0 says goes
   * @return all-reduces that were run, at least one
   * @throws dev.caravan.model.error.ClusterException WORKER_LOST if a rank does not take part
   */
  public int run(boolean wanted) {
    try (Arena arena = Arena.ofConfined()) {
      Activations x = new Activations(arena, 1, COLUMNS);
      long start = nanoClock.getAsLong();
      int rounds = 0;
      boolean goesOn;
      do {
        boolean more = wanted && rounds < ROUNDS && nanoClock.getAsLong() - start < BOUND_NANOS;
        x.data().fill((byte) 0);
        x.set(0, 0, collective.rank() == 0 && more ? 1 : 0);
        collective.allReduceSum(STEP, rounds++, x, 1);
        goesOn = x.get(0, 0) > 0;
      } while (goesOn);
      return rounds;
    }
  }
}
