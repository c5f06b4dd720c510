package dev.caravan.coordinator.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.caravan.coordinator.schedule.BlockAllocator;
import dev.caravan.coordinator.schedule.Scheduler;
import dev.caravan.coordinator.schedule.Sequence;
import dev.caravan.model.step.LogitMass;
import dev.caravan.model.step.RowAnswer;
import dev.caravan.model.step.RowQuery;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PerplexityScoreTest {
  /** ln(e^2 + 7): one logit of 2, seven of 0. */
  private static final double LOG_SUM = Math.log(Math.exp(2) + 7);

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 100})
  void scoresEveryIdButTheFirstWhateverTheChunk(int rows) {
    // 1 -> 2 and 5 -> 6 are what the model likes; 2 -> 5 is not.
    PerplexityScore score = score(rows, 1, 2, 5, 6);
    double expected = ((LOG_SUM - 2) + LOG_SUM + (LOG_SUM - 2)) / 3;
    assertThat(score.meanNll()).isCloseTo(expected, within(1e-12));
    assertThat(score.perplexity()).isCloseTo(Math.exp(expected), within(1e-12));
  }

  @Test
  void twoIdsGiveOneScore() {
    assertThat(score(10, 3, 4).meanNll()).isCloseTo(LOG_SUM - 2, within(1e-12));
  }

  @Test
  void hugeLogitsDoNotOverflow() {
    PerplexityScore score = new PerplexityScore(new int[] {0, 1});
    float[] logits = {1e4f, 1e4f};
    assertThat(score.accept(0, new RowAnswer.All(logits), () -> logits))
        .isEqualTo(Sequence.AnswerConsumer.NONE);
    assertThat(score.meanNll()).isCloseTo(Math.log(2), within(1e-9));
  }

  @Test
  void asksForTheScoredIdAndTheMassOnly() {
    PerplexityScore score = new PerplexityScore(new int[] {4, 6});
    assertThat(score.query(0))
        .isInstanceOfSatisfying(
            RowQuery.Largest.class,
            query -> {
              assertThat(query.count()).isZero();
              assertThat(query.massTemperature()).isEqualTo(1);
              assertThat(query.ids()).containsExactly(6);
            });
    RowAnswer answer =
        new RowAnswer.Candidates(
            new int[0], new float[0], new float[] {-3}, new LogitMass(2, Math.E));
    assertThat(score.accept(0, answer, () -> new float[0])).isEqualTo(Sequence.AnswerConsumer.NONE);
    assertThat(score.meanNll()).isCloseTo(2 + 1 + 3, within(1e-12));
  }

  @Test
  void oneIdHasNothingToScore() {
    assertThatThrownBy(() -> new PerplexityScore(new int[] {1}))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static PerplexityScore score(int rows, int... ids) {
    PerplexityScore score = new PerplexityScore(ids);
    new GenerationLoop(
            new Scheduler(new BlockAllocator(4), rows, rows), new FakeCluster(), ids.length, 1)
        .run(score.sequence());
    return score;
  }
}
