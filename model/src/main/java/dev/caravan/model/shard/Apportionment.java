package dev.caravan.model.shard;

import java.util.Arrays;

/** Hands out indivisible units so that no receiver is loaded much more than the others. */
final class Apportionment {

  private Apportionment() {}

  /**
   * Hands out units in proportion to weights, at least one to each.
   *
   * @return [weights] units, summing to {@code units}; ties go to the lower index
   */
  static int[] shares(int units, double[] weights) {
    return shares(units, weights, new double[weights.length]);
  }

  /**
   * Hands out units so that load plus units is in proportion to weights, at least one to each.
   *
   * @param units at least as many as weights
   * @param weights [n], positive
   * @param loads [n], what each has to carry already, in units
   * @return [n] units, summing to {@code units}, each less than one away from the exact share
   */
  static int[] shares(int units, double[] weights, double[] loads) {
    if (units < weights.length) {
      throw new IllegalArgumentException("%d units for %d".formatted(units, weights.length));
    }
    double[] exact = fill(units, weights, loads);
    int[] shares = new int[exact.length];
    int left = units;
    for (int i = 0; i < exact.length; i++) {
      // The small slack keeps 2.9999999 from losing a unit to a rounding error.
      shares[i] = (int) Math.max(1, Math.floor(exact[i] + 1e-9));
      left -= shares[i];
    }
    while (left > 0) {
      int neediest = 0;
      for (int i = 1; i < exact.length; i++) {
        if (exact[i] - shares[i] > exact[neediest] - shares[neediest] + 1e-9) {
          neediest = i;
        }
      }
      shares[neediest]++;
      left--;
    }
    return shares;
  }

  /** Fills like water: all up to one level of (load + share) / weight, but never less than 1. */
  private static double[] fill(int units, double[] weights, double[] loads) {
    boolean[] pinned = new boolean[weights.length];
    while (true) {
      double volume = units;
      double width = 0;
      for (int i = 0; i < weights.length; i++) {
        volume += pinned[i] ? -1 : loads[i];
        width += pinned[i] ? 0 : weights[i];
      }
      double level = width > 0 ? volume / width : 0;
      boolean changed = false;
      for (int i = 0; i < weights.length; i++) {
        if (!pinned[i] && level * weights[i] - loads[i] < 1) {
          pinned[i] = true;
          changed = true;
        }
      }
      if (!changed) {
        double[] exact = new double[weights.length];
        Arrays.setAll(exact, i -> pinned[i] ? 1 : level * weights[i] - loads[i]);
        return exact;
      }
    }
  }

  /** Returns the runs [0, s0), [s0, s0 + s1), ... of units, scaled to elements and cut at total. */
  static IntRange[] runs(int[] shares, int elementsPerUnit, int total) {
    IntRange[] runs = new IntRange[shares.length];
    int unit = 0;
    for (int i = 0; i < shares.length; i++) {
      int start = Math.min(total, unit * elementsPerUnit);
      unit += shares[i];
      runs[i] = new IntRange(start, Math.min(total, unit * elementsPerUnit));
    }
    return runs;
  }
}
