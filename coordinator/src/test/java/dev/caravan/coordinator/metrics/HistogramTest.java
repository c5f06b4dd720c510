package dev.caravan.coordinator.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class HistogramTest {

  @Test
  void boundsAreInclusiveAndCountsCumulative() {
    Histogram histogram = new Histogram(1, 2);
    for (double value : new double[] {0, 1, 1.5, 2, 2.5}) {
      histogram.observe(value);
    }
    Histogram.Counts counts = histogram.counts();
    assertThat(counts.cumulative()).containsExactly(2L, 4L, 5L);
    assertThat(counts.count()).isEqualTo(5);
    assertThat(counts.sum()).isEqualTo(7);
  }

  @Test
  void growsInStepsOfOneTwoFiveUpToTheLargest() {
    assertThat(Histogram.upTo(100).counts().bounds())
        .containsExactly(1d, 2d, 5d, 10d, 20d, 50d, 100d);
    assertThat(Histogram.upTo(Integer.MAX_VALUE).counts().bounds()).endsWith(1e9, 2e9);
  }
}
