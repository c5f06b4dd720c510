package dev.caravan.bench.machine;

import java.util.Arrays;

/** The middle of repeated measurements: one that was disturbed does not count. */
public final class Medians {

  private Medians() {}

  /**
   * Returns the middle value, or the mean of the two middle ones.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static double of(double[] values) {
    if (values.length == 0) {
      throw new IllegalArgumentException("the median of no value");
    }
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
}
