package dev.caravan.coordinator.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.model.step.SequenceChunk.Logits;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PromptSharesTest {

  private static int[] shares(int rows, int... lengths) {
    return PromptShares.of(
        IntStream.of(lengths)
            .mapToObj(length ->
                new Sequence(
                    new int[length],
                    Logits.LAST,
                    (position, logits) -> Sequence.LogitsConsumer.END))
            .toList(),
        rows);
  }

  @Test
  void aLongPromptDoesNotHoldUpTheShortOnesBehindIt() {
    assertThat(shares(64, 4000, 20, 10)).containsExactly(34, 20, 10);
    assertThat(shares(64, 4000, 50, 10)).containsExactly(32, 22, 10);
  }

  @Test
  void theShortOnesDoNotHoldUpALongPrompt() {
    assertThat(shares(10, 4000, 9, 9, 9, 9)[0]).isEqualTo(5);
  }

  @Test
  void ofEqualPromptsTheFirstIsDoneFirst() {
    assertThat(shares(100, 500, 500, 500)).containsExactly(100, 0, 0);
    assertThat(shares(100, 60, 60, 60)).containsExactly(60, 40, 0);
  }

  @Test
  void givesNobodyMoreThanTheyLack() {
    assertThat(shares(100, 3, 4)).containsExactly(3, 4);
    assertThat(shares(1, 3, 2)).containsExactly(1, 0);
    assertThat(shares(0, 3)).containsExactly(0);
    assertThat(shares(5)).isEmpty();
  }
}
