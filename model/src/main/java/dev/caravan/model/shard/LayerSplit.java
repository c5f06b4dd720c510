package dev.caravan.model.shard;

import java.util.Arrays;

/** Cuts the layers into contiguous runs, one a stage. */
final class LayerSplit {

  private LayerSplit() {}

  /**
   * Finds the runs that come nearest to bytes in proportion to the stages' weights: those with the
   * least sum over stages of bytes^2 / weight, early stages the longer ones on a tie.
   *
   * @param layerBytes [layers]
   * @param headBytes carried by the last stage on top of its layers
   * @param weights [stages], at most as many as layers
   */
  static IntRange[] split(long[] layerBytes, long headBytes, double[] weights) {
    int layers = layerBytes.length;
    int stages = weights.length;
    double[] bytesBefore = new double[layers + 1];
    for (int layer = 0; layer < layers; layer++) {
      bytesBefore[layer + 1] = bytesBefore[layer] + layerBytes[layer];
    }
    double[] cost = new double[layers + 1]; // of placing the first l layers on the stages so far
    Arrays.fill(cost, Double.POSITIVE_INFINITY);
    cost[0] = 0;
    int[][] starts = new int[stages][layers + 1];
    for (int stage = 0; stage < stages; stage++) {
      double extra = stage == stages - 1 ? headBytes : 0;
      double[] next = new double[layers + 1];
      Arrays.fill(next, Double.POSITIVE_INFINITY);
      for (int end = stage + 1; end <= layers - (stages - 1 - stage); end++) {
        for (int start = stage; start < end; start++) {
          double bytes = bytesBefore[end] - bytesBefore[start] + extra;
          double total = cost[start] + bytes * bytes / weights[stage];
          if (total <= next[end]) {
            next[end] = total;
            starts[stage][end] = start;
          }
        }
      }
      cost = next;
    }
    IntRange[] runs = new IntRange[stages];
    int end = layers;
    for (int stage = stages - 1; stage >= 0; stage--) {
      runs[stage] = new IntRange(starts[stage][end], end);
      end = starts[stage][end];
    }
    return runs;
  }
}
