package dev.caravan.coordinator.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Collections;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class TokenRateTest {
  private final AtomicLong nanos = new AtomicLong(-5);
  private final TokenRate rate = new TokenRate(nanos::get);

  @Test
  void countsNothingAtFirst() {
    assertThat(rate.history()).isEqualTo(Collections.nCopies(60, 0L));
    assertThat(rate.perSecond()).isZero();
  }

  @Test
  void aSecondCountsOnlyOnceItIsFull() {
    rate.add(7);
    assertThat(rate.history()).endsWith(0L);
    passSeconds(1);
    assertThat(rate.history()).endsWith(0L, 7L);
  }

  @Test
  void meansTheLatestThreeFullSeconds() {
    for (int tokens : new int[] {100, 6, 12, 18}) {
      rate.add(tokens);
      passSeconds(1);
    }
    assertThat(rate.perSecond()).isEqualTo(12);
  }

  @Test
  void forgetsWhatIsOlderThanAMinute() {
    rate.add(5);
    passSeconds(60);
    assertThat(rate.history()).startsWith(5L).hasSize(60);
    passSeconds(1);
    assertThat(rate.history()).doesNotContain(5L);
  }

  @Test
  void aLongSilenceLeavesNoOldNumbers() {
    rate.add(5);
    passSeconds(3);
    rate.add(8);
    passSeconds(61 * 7 + 2);
    assertThat(rate.history()).isEqualTo(Collections.nCopies(60, 0L));
    rate.add(9);
    passSeconds(1);
    assertThat(rate.history()).endsWith(0L, 9L);
  }

  private void passSeconds(int seconds) {
    nanos.addAndGet(TimeUnit.SECONDS.toNanos(seconds));
  }
}
