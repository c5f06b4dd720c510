package dev.caravan.coordinator.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.caravan.coordinator.sample.LogitAdjustments;
import dev.caravan.coordinator.sample.Sampler;
import dev.caravan.coordinator.sample.SamplingParameters;
import dev.caravan.coordinator.sample.SplitVocabulary;
import dev.caravan.model.step.RowAnswer;
import dev.caravan.model.step.RowQuery;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class TokenScoresTest {
  private static final int VOCAB_SIZE = 50;
  private static final SplitVocabulary SPLIT = new SplitVocabulary(VOCAB_SIZE, 20, 21);

  private static float[] logits(int seed) {
    Random random = new Random(seed);
    float[] logits = new float[VOCAB_SIZE];
    for (int id = 0; id < VOCAB_SIZE; id++) {
      logits[id] = 3 * (float) random.nextGaussian();
    }
    return logits;
  }

  /** As a textbook says. */
  private static double logSoftmax(float[] logits, int id) {
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit);
    }
    return Math.log(Math.exp(logits[id]) / sum);
  }

  private static void assertScores(TokenLogprobs scores, int id, int top, float[] logits) {
    assertThat(scores.id()).isEqualTo(id);
    assertThat(scores.logprob()).isCloseTo((float) logSoftmax(logits, id), within(1e-5f));
    assertThat(scores.topIds()).hasSize(top).doesNotHaveDuplicates();
    assertThat(scores.topLogprobs()).hasSize(top);
    for (int i = 0; i < top; i++) {
      assertThat(scores.topLogprobs()[i])
          .isCloseTo((float) logSoftmax(logits, scores.topIds()[i]), within(1e-5f))
          .isLessThanOrEqualTo(i == 0 ? 0 : scores.topLogprobs()[i - 1]);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 5, 20})
  void scoresOfAKnownTokenAreTheModelsOwn(int top) {
    TokenScores scores = new TokenScores(top);
    float[] logits = logits(top);
    for (int id = 0; id < VOCAB_SIZE; id++) {
      RowAnswer answer = SPLIT.answer(scores.query(id), 0, logits);
      assertScores(scores.ofKnown(id, answer), id, top, logits);
    }
    assertScores(scores.ofKnown(3, new RowAnswer.All(logits)), 3, top, logits);
  }

  static Stream<SamplingParameters> ways() {
    return Stream.of(
        SamplingParameters.greedy(),
        SamplingParameters.greedy().with(new LogitAdjustments(1, 1, Map.of(3, 50.0, 4, -100.0))),
        new SamplingParameters(1, 0, 1, 0, 1, 1),
        new SamplingParameters(1, 0, 0.9, 0, 1, 1),
        new SamplingParameters(0.5, 0, 0.9, 0, 1, 1),
        new SamplingParameters(0.5, 7, 1, 0.1, 1.3, 1));
  }

  @ParameterizedTest
  @MethodSource("ways")
  void scoresOfChosenTokensAreTheModelsOwnAndChangeNoChoice(SamplingParameters parameters) {
    TokenScores scores = new TokenScores(5);
    Sampler alone = new Sampler(parameters, new int[] {1});
    Sampler scored = new Sampler(parameters, new int[] {1});
    for (int position = 0; position < 30; position++) {
      float[] logits = logits(position);
      int expected =
          alone.sample(position, SPLIT.answer(alone.query(), position, logits), logits::clone);
      RowAnswer answer = SPLIT.answer(scores.query(scored.query()), position, logits.clone());
      int id = scored.sample(position, answer, logits::clone);
      assertThat(id).isEqualTo(expected);
      assertScores(scores.ofChosen(id, answer, logits::clone), id, 5, logits);
    }
  }

  @Test
  void asksForFewLogitsWhereTheyAreEnough() {
    TokenScores scores = new TokenScores(5);
    assertThat(scores.query(new Sampler(SamplingParameters.greedy(), new int[0]).query()))
        .isInstanceOfSatisfying(
            RowQuery.Largest.class,
            query -> {
              assertThat(query.count()).isEqualTo(5);
              assertThat(query.massTemperature()).isEqualTo(1);
            });
    assertThat(scores.query(new RowQuery.Largest(3, 0.5, new int[0]))).isEqualTo(RowQuery.ALL);
    assertThat(scores.query(new RowQuery.Drawn(1, 1))).isEqualTo(RowQuery.ALL);
  }

  @Test
  void tokenThatOnlyABiasChoseIsFound() {
    SamplingParameters parameters =
        SamplingParameters.greedy().with(new LogitAdjustments(0, 0, Map.of(9, 100.0)));
    TokenScores scores = new TokenScores(1);
    Sampler sampler = new Sampler(parameters, new int[0]);
    float[] logits = new float[VOCAB_SIZE];
    logits[9] = -5;
    RowAnswer answer = SPLIT.answer(scores.query(sampler.query()), 0, logits);
    assertThat(sampler.sample(0, answer, logits::clone)).isEqualTo(9);
    assertScores(scores.ofChosen(9, answer, logits::clone), 9, 1, logits);
  }
}
