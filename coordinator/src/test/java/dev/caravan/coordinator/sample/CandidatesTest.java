package dev.caravan.coordinator.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.step.RowAnswer;
import dev.caravan.model.step.RowQuery;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Sampling from candidates of a split vocabulary gives the tokens that all logits give. */
class CandidatesTest {
  private static final int VOCAB_SIZE = 3000;
  private static final int TOKENS = 60;
  private static final int[] PROMPT = {5, 17, 17, 2900};

  private static final SplitVocabulary WHOLE = new SplitVocabulary(VOCAB_SIZE);
  private static final SplitVocabulary SPLIT = new SplitVocabulary(VOCAB_SIZE, 1, 700, 700, 2999);

  /**
   * @param recalls most tokens of the sixty that may need all logits
   */
  record Way(SamplingParameters parameters, int recalls) {}

  static Stream<Way> ways() {
    return Stream.of(
        new Way(new SamplingParameters(0, 0, 1, 0, 1, 1), 0),
        new Way(new SamplingParameters(0, 3, 0.5, 0.5, 1, 1), 0),
        new Way(new SamplingParameters(0, 0, 1, 0, 1.3, 1), 0),
        new Way(new SamplingParameters(0, 0, 1, 0, 0.7, 1), 0),
        new Way(new SamplingParameters(1, 0, 1, 0, 1, 2), 0),
        new Way(new SamplingParameters(0.3, 0, 1, 0, 1, 3), 0),
        new Way(new SamplingParameters(1, 0, 1, 0, 1.2, 3), 0), // asks for all at once
        new Way(new SamplingParameters(1, 1, 1, 0, 1, 4), 0),
        new Way(new SamplingParameters(1.5, 40, 1, 0, 1, 5), 0),
        new Way(new SamplingParameters(1.5, 40, 0.7, 0.05, 1, 6), 0),
        new Way(new SamplingParameters(1.5, 40, 0.7, 0.05, 1.4, 7), 0),
        new Way(new SamplingParameters(1, 2500, 1, 0, 1, 8), 0),
        new Way(new SamplingParameters(0.7, 0, 0.9, 0, 1, 9), 0),
        new Way(new SamplingParameters(0.7, 0, 0.9, 0.01, 1.1, 10), 0),
        new Way(new SamplingParameters(0.7, 0, 0.9, 0, 0.8, 11), 0),
        new Way(new SamplingParameters(20, 0, 0.99, 0, 1, 12), TOKENS),
        new Way(new SamplingParameters(0.5, 0, 1, 0.1, 1, 13), 0),
        new Way(new SamplingParameters(0.5, 0, 1, 0.1, 1.5, 14), 0),
        new Way(new SamplingParameters(50, 0, 1, 0.5, 1, 15), TOKENS),
        new Way(new SamplingParameters(0, 0, 1, 0, 1, 16).with(PENALTIES), 0),
        new Way(new SamplingParameters(0, 0, 1, 0, 1.2, 17).with(BIASES), 0),
        new Way(new SamplingParameters(1, 0, 1, 0, 1, 18).with(PENALTIES), 0), // asks for all
        new Way(new SamplingParameters(1, 30, 0.9, 0, 1.1, 19).with(PENALTIES), 0),
        new Way(new SamplingParameters(0.7, 0, 0.9, 0, 1, 20).with(PENALTIES), 0),
        new Way(new SamplingParameters(0.7, 0, 0.9, 0, 1, 21).with(BIASES), TOKENS),
        new Way(new SamplingParameters(0.5, 0, 1, 0.1, 0.9, 22).with(BIASES), 0));
  }

  private static final LogitAdjustments PENALTIES = new LogitAdjustments(1.5, -2, Map.of());

  private static final LogitAdjustments BIASES =
      new LogitAdjustments(0, 2, Map.of(3, 4.0, 699, -100.0, 2999, 8.0, 1500, -0.5));

  @ParameterizedTest
  @MethodSource("ways")
  void sameTokensAsFromAllLogits(Way way) {
    for (float spread : new float[] {3, 0.5f}) {
      int[] expected = sampleFromAll(way.parameters(), spread);
      Run whole = sample(way.parameters(), spread, WHOLE);
      Run split = sample(way.parameters(), spread, SPLIT);
      assertThat(whole.ids).isEqualTo(expected);
      assertThat(split.ids).isEqualTo(expected);
      if (spread == 3) {
        assertThat(split.recalls).isLessThanOrEqualTo(way.recalls());
      }
    }
  }

  @Test
  void flatDistributionsNeedAllLogits() {
    assertThat(sample(new SamplingParameters(20, 0, 0.99, 0, 1, 12), 3, SPLIT).recalls)
        .isEqualTo(TOKENS);
    assertThat(sample(new SamplingParameters(50, 0, 1, 0.5, 1, 15), 3, SPLIT).recalls)
        .isEqualTo(TOKENS);
  }

  @Test
  void ofEqualLogitsGreedyTakesTheLowestIdOfAnyRank() {
    float[] logits = new float[VOCAB_SIZE];
    logits[699] = 4;
    logits[700] = 4;
    logits[2999] = 4;
    Sampler greedy = new Sampler(SamplingParameters.greedy(), PROMPT);
    assertThat(greedy.query())
        .isInstanceOfSatisfying(RowQuery.Largest.class, query -> assertThat(query.count()).isOne());
    assertThat(greedy.sample(0, SPLIT.answer(greedy.query(), 0, logits), CandidatesTest::none))
        .isEqualTo(699);
  }

  /** Rounds half of the logits so that many are equal: ties at every border. */
  @Test
  void tiesAtTheBordersDoNotMatter() {
    for (int topK : new int[] {1, 2, 5, 50}) {
      for (double penalty : new double[] {1, 2, 0.5}) {
        for (double topP : new double[] {1, 0.5}) {
          SamplingParameters parameters =
              new SamplingParameters(topK % 2, topK, topP, 0, penalty, topK);
          assertThat(sample(parameters, 0, SPLIT).ids).isEqualTo(sampleFromAll(parameters, 0));
        }
      }
    }
  }

  @Test
  void topPOnTheVeryBorderIsDecidedAsFromAllLogits() {
    // Four equal halves of a half: top-p 0.5 is reached by two of them exactly, or by rounding not.
    float[] logits = new float[VOCAB_SIZE];
    Arrays.fill(logits, Float.NEGATIVE_INFINITY);
    for (int id : new int[] {3, 800, 1600, 2999}) {
      logits[id] = 1.5f;
    }
    SamplingParameters parameters = new SamplingParameters(0.9, 0, 0.5, 0, 1, 77);
    Sampler all = new Sampler(parameters, PROMPT);
    Sampler few = new Sampler(parameters, PROMPT);
    for (int position = 0; position < 200; position++) {
      RowAnswer answer = SPLIT.answer(few.query(), position, logits);
      assertThat(few.sample(position, answer, () -> logits.clone()))
          .isEqualTo(all.sample(position, logits));
    }
  }

  @Test
  void logitThatIsNotANumberIsNamedInEveryWay() {
    for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
      float[] logits = new float[VOCAB_SIZE];
      logits[1234] = bad;
      for (Way way : ways().toList()) {
        Sampler sampler = new Sampler(way.parameters(), PROMPT);
        RowAnswer answer = drawnAround(sampler.query(), logits);
        assertThatThrownBy(() -> sampler.sample(0, answer, () -> logits))
            .isInstanceOf(ClusterException.class)
            .hasMessageContaining("logit 1234 of 3000 is " + bad);
      }
    }
  }

  @Test
  void asksForAllLogitsWhereTooManyWouldBeNeeded() {
    int[] longPrompt = IntStream.range(0, 1025).toArray();
    SamplingParameters penalty = new SamplingParameters(0, 0, 1, 0, 1.1, 1);
    assertThat(new Sampler(penalty, longPrompt).query()).isEqualTo(RowQuery.ALL);
    assertThat(new Sampler(penalty, PROMPT).query()).isInstanceOf(RowQuery.Largest.class);
    assertThat(new Sampler(new SamplingParameters(1, 1025, 1, 0, 1, 1), PROMPT).query())
        .isEqualTo(RowQuery.ALL);
  }

  /** A rank that meets such a logit answers it instead of a draw. */
  private static RowAnswer drawnAround(RowQuery query, float[] logits) {
    return query instanceof RowQuery.Drawn
        ? SPLIT.answer(new RowQuery.Largest(1), 0, logits)
        : SPLIT.answer(query, 0, logits);
  }

  private static final class Run {
    final int[] ids = new int[TOKENS];
    int recalls;
  }

  private static Run sample(SamplingParameters parameters, float spread, SplitVocabulary vocab) {
    Run run = new Run();
    Sampler sampler = new Sampler(parameters, PROMPT);
    for (int i = 0; i < TOKENS; i++) {
      float[] logits = logits(i, spread);
      run.ids[i] =
          sampler.sample(
              i,
              vocab.answer(sampler.query(), i, logits),
              () -> {
                run.recalls++;
                return logits;
              });
    }
    return run;
  }

  private static int[] sampleFromAll(SamplingParameters parameters, float spread) {
    Sampler sampler = new Sampler(parameters, PROMPT);
    return IntStream.range(0, TOKENS).map(i -> sampler.sample(i, logits(i, spread))).toArray();
  }

  /** Spread 0: only five different values. */
  private static float[] logits(int position, float spread) {
    Random random = new Random(position);
    float[] logits = new float[VOCAB_SIZE];
    for (int id = 0; id < VOCAB_SIZE; id++) {
      logits[id] = spread == 0 ? random.nextInt(5) - 2 : spread * (float) random.nextGaussian();
    }
    return logits;
  }

  private static float[] none() {
    throw new AssertionError("the candidates are enough");
  }
}
