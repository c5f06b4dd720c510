package dev.caravan.coordinator.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.model.step.RowQuery;
import java.time.Duration;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;

class SamplerTest {
  private static final int[] NO_PROMPT = {};
  private static final int DRAWS = 40_000;

  private static Sampler sampler(double temperature, int topK, double topP, double minP) {
    return new Sampler(new SamplingParameters(temperature, topK, topP, minP, 1, 42), NO_PROMPT);
  }

  private static float[] logs(double... probabilities) {
    float[] logits = new float[probabilities.length];
    for (int i = 0; i < logits.length; i++) {
      logits[i] = (float) Math.log(probabilities[i]);
    }
    return logits;
  }

  private static double[] frequencies(Sampler sampler, float[] logits) {
    double[] shares = new double[logits.length];
    for (int i = 0; i < DRAWS; i++) {
      shares[sampler.sample(i, logits)] += 1.0 / DRAWS;
    }
    return shares;
  }

  private static void assertFrequencies(Sampler sampler, float[] logits, double... expected) {
    double[] shares = frequencies(sampler, logits);
    for (int id = 0; id < expected.length; id++) {
      if (expected[id] == 0) {
        assertThat(shares[id]).as("token %d", id).isZero();
      } else {
        // Over four standard deviations of 40,000 draws.
        assertThat(shares[id]).as("token %d", id).isCloseTo(expected[id], within(0.0105));
      }
    }
  }

  @Test
  void greedyTakesTheLargestAndOfEqualsTheLowestId() {
    Sampler greedy = new Sampler(SamplingParameters.greedy(), NO_PROMPT);
    assertThat(greedy.sample(0, new float[] {-3, 2, 5, 5, 1})).isEqualTo(2);
    assertThat(greedy.sample(0, new float[] {-0f, 0f})).isEqualTo(0);
    assertThat(greedy.sample(0, new float[] {Float.NEGATIVE_INFINITY, -1e30f})).isEqualTo(1);
  }

  @Test
  void drawsInProportionToTheProbabilities() {
    assertFrequencies(sampler(1, 0, 1, 0), logs(0.5, 0.1, 0.3, 0.1), 0.5, 0.1, 0.3, 0.1);
  }

  @Test
  void temperatureSharpensAndFlattens() {
    float[] logits = logs(0.64, 0.36);
    assertFrequencies(sampler(2, 0, 1, 0), logits, 8 / 14.0, 6 / 14.0);
    assertFrequencies(sampler(0.5, 0, 1, 0), logits, 0.4096 / 0.5392, 0.1296 / 0.5392);
    assertFrequencies(sampler(1e-6, 0, 1, 0), logits, 1, 0);
  }

  @Test
  void topKKeepsTheLargestAndOfEqualsTheLowestIds() {
    assertFrequencies(sampler(1, 2, 1, 0), logs(0.1, 0.4, 0.2, 0.3), 0, 4 / 7.0, 0, 3 / 7.0);
    assertFrequencies(sampler(1, 2, 1, 0), logs(0.25, 0.25, 0.25, 0.25), 0.5, 0.5, 0, 0);
    assertFrequencies(sampler(1, 9, 1, 0), logs(0.5, 0.5), 0.5, 0.5);
  }

  @Test
  void topPKeepsTheTokenThatReachesTheProbability() {
    float[] logits = logs(0.1, 0.4, 0.2, 0.3);
    assertFrequencies(sampler(1, 0, 0.65, 0), logits, 0, 4 / 7.0, 0, 3 / 7.0);
    assertFrequencies(sampler(1, 0, 0.75, 0), logits, 0, 4 / 9.0, 2 / 9.0, 3 / 9.0);
    assertFrequencies(sampler(1, 0, 1e-9, 0), logits, 0, 1, 0, 0);
  }

  @Test
  void topPCountsWhatTopKLeft() {
    // Of the three left, 0.4 is 0.4/0.9 and 0.4+0.3 is 0.78 of their mass.
    float[] logits = logs(0.1, 0.4, 0.2, 0.3);
    assertFrequencies(sampler(1, 3, 0.75, 0), logits, 0, 4 / 7.0, 0, 3 / 7.0);
  }

  @Test
  void minPIsRelativeToTheLikeliest() {
    float[] logits = logs(0.1, 0.4, 0.19, 0.31);
    assertFrequencies(sampler(1, 0, 1, 0.5), logits, 0, 0.4 / 0.71, 0, 0.31 / 0.71);
    assertFrequencies(sampler(1, 3, 1, 0.5), logits, 0, 0.4 / 0.71, 0, 0.31 / 0.71);
    assertFrequencies(sampler(1, 0, 1, 1), logits, 0, 1, 0, 0);
  }

  @Test
  void repetitionPenaltyHitsPromptAndAnswerOnceEachAndLeavesTheLogits() {
    float[] logits = {4, 3.5f, -1, 3};
    SamplingParameters parameters = new SamplingParameters(0, 0, 1, 0, 2, 0);
    Sampler sampler = new Sampler(parameters, new int[] {0, 0, 2, 0});
    assertThat(sampler.sample(0, logits)).isEqualTo(1);
    assertThat(sampler.sample(0, logits)).isEqualTo(3);
    assertThat(sampler.sample(0, logits)).isEqualTo(0);
    assertThat(logits).containsExactly(4, 3.5f, -1, 3);
    float[] negative = {-1, -1.5f};
    assertThat(new Sampler(parameters, new int[] {0}).sample(0, negative)).isEqualTo(1);
  }

  @Test
  void sameSeedGivesTheSameTokensAndAnotherSeedOthers() {
    float[] logits = new float[1000];
    int[] first = draws(new SamplingParameters(1, 0, 0.9, 0, 1, 7), logits);
    assertThat(draws(new SamplingParameters(1, 0, 0.9, 0, 1, 7), logits)).isEqualTo(first);
    assertThat(draws(new SamplingParameters(1, 0, 0.9, 0, 1, 8), logits)).isNotEqualTo(first);
    // Pins the generator: a change would change the answers to everyone's seeds.
    float[] ten = new float[10];
    assertThat(Arrays.copyOf(draws(new SamplingParameters(1, 0, 1, 0, 1, 7), ten), 8))
        .containsExactly(PINNED);
  }

  private static final int[] PINNED = {3, 7, 0, 0, 2, 4, 0, 4};

  private static int[] draws(SamplingParameters parameters, float[] logits) {
    Sampler sampler = new Sampler(parameters, NO_PROMPT);
    return IntStream.range(0, 50).map(i -> sampler.sample(i, logits)).toArray();
  }

  @Test
  void namesThePositionOfALogitThatIsNotANumber() {
    for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
      float[] logits = {1, 2, bad, 4};
      for (SamplingParameters parameters :
          new SamplingParameters[] {
            SamplingParameters.greedy(), new SamplingParameters(1, 2, 0.9, 0, 1, 0)
          }) {
        assertThatThrownBy(() -> new Sampler(parameters, NO_PROMPT).sample(0, logits))
            .isInstanceOfSatisfying(
                ClusterException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.INTERNAL))
            .hasMessageContaining("logit 2 of 4 is " + bad);
      }
    }
    float[] none = {Float.NEGATIVE_INFINITY, Float.NEGATIVE_INFINITY};
    assertThatThrownBy(() -> sampler(1, 0, 1, 0).sample(0, none))
        .isInstanceOf(ClusterException.class)
        .hasMessageContaining("none of 2 logits");
  }

  @Test
  void neverDrawsATokenThatIsRuledOut() {
    float[] logits = {0, Float.NEGATIVE_INFINITY, 0};
    assertFrequencies(sampler(1, 0, 1, 0), logits, 0.5, 0, 0.5);
    assertFrequencies(sampler(100, 0, 0.999, 0), logits, 0.5, 0, 0.5);
    assertFrequencies(sampler(1, 3, 1, 0), logits, 0.5, 0, 0.5);
  }

  @Test
  void flatDistributionOfALargeVocabularyEndsSoon() {
    float[] logits = new float[128_256];
    Sampler sampler = sampler(1, 0, 0.99, 0);
    Assertions.assertTimeoutPreemptively(
        Duration.ofSeconds(10),
        () -> {
          for (int i = 0; i < 5; i++) {
            assertThat(sampler.sample(i, logits)).isBetween(0, 126_975);
          }
        });
  }

  private static Sampler greedyWith(LogitAdjustments adjustments, int... prompt) {
    return new Sampler(SamplingParameters.greedy().with(adjustments), prompt);
  }

  @Test
  void presencePenaltyCountsGeneratedTokensOnce() {
    float[] logits = {4, 3, 2.5f};
    Sampler sampler = greedyWith(new LogitAdjustments(1.25, 0, Map.of()), 0, 1, 2);
    assertThat(take(sampler, logits, 4)).containsExactly(0, 1, 0, 0);
    assertThat(logits).containsExactly(4, 3, 2.5f);
  }

  @Test
  void frequencyPenaltyCountsGeneratedTokensEachTime() {
    Sampler sampler = greedyWith(new LogitAdjustments(0, 0.75, Map.of()), 0, 0, 0);
    // 4, 3.25, 2.5 against 3, 2.25: the prompt does not count.
    assertThat(take(sampler, new float[] {4, 3}, 4)).containsExactly(0, 0, 1, 0);
  }

  @Test
  void negativePenaltiesInviteRepetition() {
    Sampler sampler = greedyWith(new LogitAdjustments(-1, -1, Map.of(1, 1.0)));
    assertThat(take(sampler, new float[] {4, 3.5f}, 3)).containsExactly(1, 1, 1);
  }

  @Test
  void biasIsAddedToItsTokensAfterTheRepetitionPenalty() {
    SamplingParameters parameters =
        new SamplingParameters(0, 0, 1, 0, 2, 0)
            .with(new LogitAdjustments(0, 0, Map.of(1, 1.5, 2, -100.0)));
    // 4 / 2 = 2 against 2 / 2 + 1.5 = 2.5
    assertThat(new Sampler(parameters, new int[] {0, 1}).sample(0, new float[] {4, 2, 90}))
        .isEqualTo(1);
  }

  @Test
  void manyAdjustedTokensAreAllRemembered() {
    int[] prompt = IntStream.range(0, 100).toArray();
    float[] logits = new float[101];
    Arrays.fill(logits, 2);
    logits[100] = 1.5f;
    Sampler sampler = new Sampler(new SamplingParameters(0, 0, 1, 0, 2, 0), prompt);
    assertThat(sampler.sample(0, logits)).isEqualTo(100);
  }

  /** Allows the ids of one step after the other. */
  private static TokenConstraint inTurn(int[]... steps) {
    return new TokenConstraint() {
      private int step;

      @Override
      public BitSet allowed() {
        BitSet allowed = new BitSet();
        IntStream.of(steps[step]).forEach(allowed::set);
        return allowed;
      }

      @Override
      public void accept(int id) {
        assertThat(steps[step]).contains(id);
        step++;
      }
    };
  }

  @Test
  void constraintRulesOutWhateverElseWouldBeChosen() {
    float[] logits = {9, 1, 2, 3};
    for (SamplingParameters parameters :
        new SamplingParameters[] {
          SamplingParameters.greedy(),
          new SamplingParameters(1, 0, 1, 0, 1, 0),
          new SamplingParameters(1, 1, 1, 0, 1, 0),
          new SamplingParameters(0.8, 0, 0.01, 0, 1.1, 0)
              .with(new LogitAdjustments(0, 0, Map.of(0, 100.0)))
        }) {
      Sampler sampler =
          new Sampler(
              parameters,
              NO_PROMPT,
              Optional.of(inTurn(new int[] {1}, new int[] {2, 70}, new int[] {0})));
      assertThat(sampler.query()).isEqualTo(RowQuery.ALL);
      assertThat(take(sampler, logits, 3)).containsExactly(1, 2, 0);
      assertThat(logits).containsExactly(9, 1, 2, 3);
    }
  }

  @Test
  void constraintKeepsTheProportionsOfWhatItAllows() {
    int[][] steps = new int[DRAWS][];
    Arrays.fill(steps, new int[] {1, 2});
    Sampler sampler =
        new Sampler(
            new SamplingParameters(1, 0, 1, 0, 1, 42), NO_PROMPT, Optional.of(inTurn(steps)));
    assertFrequencies(sampler, logs(0.7, 0.1, 0.2), 0, 1 / 3.0, 2 / 3.0);
  }

  private static int[] take(Sampler sampler, float[] logits, int count) {
    return IntStream.range(0, count).map(i -> sampler.sample(i, logits)).toArray();
  }
}
