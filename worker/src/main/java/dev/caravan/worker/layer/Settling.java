package dev.caravan.worker.layer;

import java.util.Arrays;

/**
 * Tells when repeated work has stopped becoming faster: nothing has beaten its shortest time
 * clearly for a while, or a bound is over. Confined to one thread.
 */
final class Settling {
  /** A time is clearly shorter from here on; what is less is noise. */
  private static final double CLEARLY_SHORTER = 0.95;

  private final long[] shortest;
  private final long startNanos;
  private final long quietNanos;
  private final long boundNanos;
  private long improvedNanos;
  private int measured;

  /**
   * @param works different pieces of work, each with times of its own
   * @param startNanos on the clock of all calls
   * @param quietNanos without a clearly shorter time end it
   * @param boundNanos from the start end it in any case
   */
  Settling(int works, long startNanos, long quietNanos, long boundNanos) {
    this.shortest = new long[works];
    this.startNanos = startNanos;
    this.quietNanos = quietNanos;
    this.boundNanos = boundNanos;
    this.improvedNanos = startNanos;
    Arrays.fill(shortest, Long.MAX_VALUE);
  }

  /** Takes the times at which a piece of work began and ended. */
  void add(int work, long beginNanos, long endNanos) {
    long nanos = endNanos - beginNanos;
    if (shortest[work] == Long.MAX_VALUE) {
      measured++;
    }
    if (nanos < CLEARLY_SHORTER * shortest[work]) {
      shortest[work] = nanos;
      improvedNanos = endNanos;
    }
  }

  /** Returns true if it is not worth going on. */
  boolean isOver(long nowNanos) {
    boolean quiet = measured == shortest.length && nowNanos - improvedNanos >= quietNanos;
    return quiet || nowNanos - startNanos >= boundNanos;
  }
}
