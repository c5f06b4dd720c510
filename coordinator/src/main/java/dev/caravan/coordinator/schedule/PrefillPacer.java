package dev.caravan.coordinator.schedule;

import java.util.Arrays;

/**
 * Chooses how many prompt rows may join a step in which others decode, from measured times: so many
 * that the step takes about {@link #SLOWDOWN} times as long as without them. What is generated does
 * not depend on it, only when. Confined to the generation loop.
 */
final class PrefillPacer {
  /** Well under the factor of three in the time between tokens that nobody shall notice. */
  private static final double SLOWDOWN = 2;

  private static final int MIN_ROWS = 8;

  /** Before anything was measured. */
  private static final int FIRST_ROWS = 16;

  private static final int REMEMBERED_STEPS = 15;

  /** A row that turns out dearer is believed soon, a cheaper one slowly. */
  private static final double DEARER_WEIGHT = 0.5;

  private static final double CHEAPER_WEIGHT = 0.1;

  private final int maxRows;
  private final long[] decodeNanos = new long[REMEMBERED_STEPS];
  private int decodeSteps;
  private double rowNanos;

  /**
   * @param maxRows most rows of a step
   */
  PrefillPacer(int maxRows) {
    this.maxRows = maxRows;
  }

  /** Takes note of a step. */
  void observe(int decodeRows, int promptRows, long nanos) {
    if (decodeRows == 0) {
      return;
    }
    if (promptRows == 0) {
      decodeNanos[decodeSteps % REMEMBERED_STEPS] = nanos;
      decodeSteps++;
    } else if (decodeSteps > 0) {
      double measured = Math.max(0, (double) nanos - decodeStepNanos()) / promptRows;
      double weight = measured > rowNanos ? DEARER_WEIGHT : CHEAPER_WEIGHT;
      rowNanos = rowNanos == 0 ? measured : rowNanos + weight * (measured - rowNanos);
    }
  }

  /** Returns how many prompt rows may join the next step. */
  int rows() {
    if (rowNanos == 0) {
      return Math.min(FIRST_ROWS, maxRows);
    }
    double rows = (SLOWDOWN - 1) * decodeStepNanos() / rowNanos;
    return Math.min((int) Math.max(rows, MIN_ROWS), maxRows);
  }

  /** Median of the latest steps in which all sequences decoded: single slow ones do not count. */
  private long decodeStepNanos() {
    long[] latest = Arrays.copyOf(decodeNanos, Math.min(decodeSteps, REMEMBERED_STEPS));
    Arrays.sort(latest);
    return latest[latest.length / 2];
  }
}
