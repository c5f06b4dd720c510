package dev.caravan.coordinator.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PrefillPacerTest {
  private static final int MAX_ROWS = 512;

  private final PrefillPacer pacer = new PrefillPacer(MAX_ROWS);

  @Test
  void beginsWithFewRowsAndNeverMoreThanAStepHolds() {
    assertThat(pacer.rows()).isEqualTo(16);
    assertThat(new PrefillPacer(10).rows()).isEqualTo(10);
  }

  @Test
  void lettingPromptRowsJoinDoublesTheTimeOfAStep() {
    pacer.observe(8, 0, 1000);
    pacer.observe(8, 32, 1000 + 32 * 20);
    assertThat(pacer.rows()).isEqualTo(50);
  }

  @Test
  void oneSlowStepDoesNotRaiseWhatOthersAreMeasuredBy() {
    for (int i = 0; i < 15; i++) {
      pacer.observe(8, 0, i == 7 ? 1_000_000 : 1000);
    }
    pacer.observe(8, 32, 1000 + 32 * 20);
    assertThat(pacer.rows()).isEqualTo(50);
  }

  @Test
  void dearRowsBecomeFewSoonAndCheapOnesManySlowly() {
    pacer.observe(8, 0, 1000);
    pacer.observe(8, 10, 1000 + 10 * 20);
    pacer.observe(8, 10, 1000 + 10 * 60);
    assertThat(pacer.rows()).isEqualTo(1000 / 40);
    pacer.observe(8, 10, 1000 + 10 * 20);
    assertThat(pacer.rows()).isEqualTo(1000 / 38);
  }

  @Test
  void aPromptNeverStandsStillHoweverDearItIs() {
    pacer.observe(8, 0, 10);
    pacer.observe(8, 8, 1_000_000);
    assertThat(pacer.rows()).isEqualTo(8);
  }

  @Test
  void cheapRowsFillTheStep() {
    pacer.observe(8, 0, 1_000_000);
    pacer.observe(8, 8, 1_000_001);
    assertThat(pacer.rows()).isEqualTo(MAX_ROWS);
  }

  @Test
  void stepsOfPromptsAloneSayNothing() {
    pacer.observe(0, 512, 1);
    pacer.observe(8, 0, 1000);
    pacer.observe(0, 512, 1_000_000_000);
    assertThat(pacer.rows()).isEqualTo(16);
  }
}
