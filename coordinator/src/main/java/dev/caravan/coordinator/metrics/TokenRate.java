package dev.caravan.coordinator.metrics;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/** Tokens of each of the latest seconds. Thread-safe. */
public final class TokenRate {
  /** Full seconds that are remembered. */
  public static final int HISTORY_SECONDS = 60;

  private static final int MEAN_SECONDS = 3;
  private static final int SLOTS = HISTORY_SECONDS + 1;

  private final LongSupplier nanoClock;
  private final long startNanos;
  private final long[] tokens = new long[SLOTS];
  private long second;

  /**
   * @param nanoClock monotonic clock in nanoseconds
   */
  public TokenRate(LongSupplier nanoClock) {
    this.nanoClock = nanoClock;
    this.startNanos = nanoClock.getAsLong();
  }

  synchronized void add(int more) {
    advance();
    tokens[(int) (second % SLOTS)] += more;
  }

  /** Tokens of each of the latest full seconds, the oldest first. */
  public synchronized List<Long> history() {
    advance();
    List<Long> history = new ArrayList<>(HISTORY_SECONDS);
    for (int ago = HISTORY_SECONDS; ago >= 1; ago--) {
      history.add(tokens[(int) Math.floorMod(second - ago, (long) SLOTS)]);
    }
    return history;
  }

  /** Mean of the latest few full seconds, in tokens per second. */
  public double perSecond() {
    return history().subList(HISTORY_SECONDS - MEAN_SECONDS, HISTORY_SECONDS).stream()
        .mapToLong(Long::longValue)
        .average()
        .orElse(0);
  }

  private void advance() {
    long now = TimeUnit.NANOSECONDS.toSeconds(nanoClock.getAsLong() - startNanos);
    for (long passed = Math.max(second + 1, now - SLOTS + 1); passed <= now; passed++) {
      tokens[(int) (passed % SLOTS)] = 0;
    }
    second = now;
  }
}
