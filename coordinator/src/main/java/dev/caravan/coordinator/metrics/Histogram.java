package dev.caravan.coordinator.metrics;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Counts numbers in buckets, as Prometheus does. Thread-safe. */
final class Histogram {
  private final double[] bounds;
  private final long[] counts;
  private double sum;

  /**
   * What was counted up to one moment.
   *
   * @param bounds upper bounds of the buckets, inclusive, ascending
   * @param cumulative numbers up to each bound, then all numbers
   */
  record Counts(List<Double> bounds, List<Long> cumulative, double sum) {

    long count() {
      return cumulative.getLast();
    }
  }

  /**
   * @param bounds upper bounds, inclusive, ascending
   */
  Histogram(double... bounds) {
    this.bounds = bounds.clone();
    this.counts = new long[bounds.length + 1];
  }

  /** Returns a histogram with the bounds 1, 2, 5, 10, 20, 50 ... up to a largest value. */
  static Histogram upTo(int largest) {
    List<Double> bounds = new ArrayList<>();
    for (long power = 1; power <= largest; power *= 10) {
      for (long digit : new long[] {1, 2, 5}) {
        if (digit * power <= largest) {
          bounds.add((double) (digit * power));
        }
      }
    }
    return new Histogram(bounds.stream().mapToDouble(Double::doubleValue).toArray());
  }

  synchronized void observe(double value) {
    int found = Arrays.binarySearch(bounds, value);
    counts[found >= 0 ? found : -found - 1]++;
    sum += value;
  }

  synchronized Counts counts() {
    List<Long> cumulative = new ArrayList<>();
    long total = 0;
    for (long count : counts) {
      total += count;
      cumulative.add(total);
    }
    return new Counts(Arrays.stream(bounds).boxed().toList(), cumulative, sum);
  }
}
