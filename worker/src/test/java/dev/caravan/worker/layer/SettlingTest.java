package dev.caravan.worker.layer;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SettlingTest {
  private static final long QUIET = 100;
  private static final long BOUND = 1000;

  private final Settling settling = new Settling(2, 0, QUIET, BOUND);

  @Test
  void goesOnUntilEveryWorkHasATime() {
    settling.add(0, 0, 10);
    assertThat(settling.isOver(500)).isFalse();
    settling.add(1, 490, 500);
    assertThat(settling.isOver(599)).isFalse();
    assertThat(settling.isOver(600)).isTrue();
  }

  @Test
  void goesOnWhileAnyWorkBecomesClearlyShorter() {
    settling.add(0, 0, 50);
    settling.add(1, 50, 100);
    settling.add(1, 120, 160);
    assertThat(settling.isOver(200)).isFalse();
    assertThat(settling.isOver(260)).isTrue();
  }

  @Test
  void endsThoughTimesWobble() {
    settling.add(0, 0, 100);
    settling.add(1, 100, 200);
    settling.add(0, 200, 297);
    settling.add(1, 200, 298);
    assertThat(settling.isOver(300)).isTrue();
  }

  @Test
  void endsAtTheBoundWhateverHappens() {
    assertThat(settling.isOver(BOUND - 1)).isFalse();
    assertThat(settling.isOver(BOUND)).isTrue();
    settling.add(0, BOUND - 20, BOUND - 10);
    settling.add(1, BOUND - 10, BOUND - 9);
    assertThat(settling.isOver(BOUND)).isTrue();
  }
}
