package dev.caravan.coordinator.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class AwakeClockTest {
  private final AtomicLong source = new AtomicLong(-77);
  private final AwakeClock clock = new AwakeClock(source::get);

  @Test
  void shortGapsCountInFull() {
    pass(Duration.ofMillis(900));
    assertThat(clock.getAsLong()).isEqualTo(Duration.ofMillis(900).toNanos());
    pass(Duration.ofMillis(800));
    assertThat(clock.getAsLong()).isEqualTo(Duration.ofMillis(1700).toNanos());
  }

  @Test
  void stopOfTheProcessCountsAsOneSecond() {
    pass(Duration.ofMinutes(3));
    assertThat(clock.getAsLong()).isEqualTo(Duration.ofSeconds(1).toNanos());
    pass(Duration.ofMillis(5));
    assertThat(clock.getAsLong()).isEqualTo(Duration.ofMillis(1005).toNanos());
  }

  @Test
  void memberIsNotLostForWhatTheCoordinatorSleptThrough() {
    Membership membership = new Membership(Duration.ofSeconds(8), clock);
    membership.join(new Member("a", "127.0.0.1", 1, 2, 1L << 30, 4711));
    pass(Duration.ofMinutes(3));
    membership.expire();
    assertThat(membership.members()).hasSize(1);
    for (int i = 0; i < 8; i++) {
      pass(Duration.ofMillis(999));
      membership.expire();
    }
    assertThat(membership.members()).isEmpty();
  }

  private void pass(Duration time) {
    source.addAndGet(time.toNanos());
  }
}
