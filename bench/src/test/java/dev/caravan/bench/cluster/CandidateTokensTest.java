package dev.caravan.bench.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.coordinator.generate.Generation;
import dev.caravan.coordinator.generate.PerplexityScore;
import dev.caravan.coordinator.sample.Sampler;
import dev.caravan.coordinator.sample.SamplingParameters;
import dev.caravan.coordinator.schedule.Sequence;
import dev.caravan.model.step.RuntimeSettings.Activations;
import dev.caravan.model.step.SequenceChunk;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What workers answer instead of all logits decides the same tokens, bit for bit. */
class CandidateTokensTest {
  private static final int[] PROMPT = RowLogits.prompt(8, 20);
  private static final int NEW_TOKENS = 24;
  private static final int CONTEXT = 64;

  @TempDir static Path directory;

  private static List<SamplingParameters> parameters() {
    return List.of(
        SamplingParameters.greedy(),
        new SamplingParameters(0, 0, 1, 0, 1.3, 1),
        new SamplingParameters(1, 0, 1, 0, 1, 2),
        new SamplingParameters(1, 0, 1, 0, 1.2, 3),
        new SamplingParameters(0.8, 20, 0.9, 0.02, 1, 4),
        new SamplingParameters(0.7, 0, 0.9, 0, 1, 5),
        new SamplingParameters(2, 0, 0.999, 0, 1.1, 6),
        new SamplingParameters(0.5, 0, 1, 0.1, 1, 7));
  }

  @Test
  void everySamplerGivesTheTokensOfAllLogits() throws IOException {
    for (int ranks : new int[] {1, 3}) {
      SettingsBuilder settings = new SettingsBuilder().threads(2).activations(Activations.AUTO);
      try (InProcessCluster cluster =
          InProcessCluster.start(
              TinyModels.Q8_0.write(directory),
              1,
              ranks,
              settings.contextLength(CONTEXT).build())) {
        for (SamplingParameters parameters : parameters()) {
          List<Integer> fromCandidates = new ArrayList<>();
          Generation generation =
              new Generation(
                  new Generation.Request(PROMPT, NEW_TOKENS, CONTEXT, Set.of(), parameters),
                  fromCandidates::add,
                  System::nanoTime);
          cluster.loop().run(generation.sequence());
          assertThat(fromCandidates)
              .as("%s, %d ranks", parameters, ranks)
              .isEqualTo(fromAllLogits(cluster, parameters));
        }
      }
    }
  }

  @Test
  void recalledLogitsAreThoseOfTheRow() throws IOException {
    List<float[]> expected;
    List<float[]> recalled = new ArrayList<>();
    SettingsBuilder settings = new SettingsBuilder().contextLength(CONTEXT);
    try (InProcessCluster cluster =
        InProcessCluster.start(TinyModels.F32.write(directory), 1, 3, settings.build())) {
      expected = new RowLogits(PROMPT, 0).runAlone(cluster.loop(7, 0));
      cluster.loop(7, 0).run(new RecallingSequence(PROMPT, recalled).sequence());
      assertThat(cluster.recalls()).isEqualTo(PROMPT.length);
    }
    assertThat(recalled).usingRecursiveComparison().isEqualTo(expected);
  }

  @Test
  void perplexityNeedsNoLogitsButThoseOfTheText() throws IOException {
    SettingsBuilder settings = new SettingsBuilder().contextLength(CONTEXT);
    try (InProcessCluster cluster =
        InProcessCluster.start(TinyModels.F32.write(directory), 1, 3, settings.build())) {
      PerplexityScore score = new PerplexityScore(PROMPT);
      cluster.loop().run(score.sequence());
      double sum = 0;
      List<float[]> logits = new RowLogits(PROMPT, 0).runAlone(cluster.loop());
      for (int i = 1; i < PROMPT.length; i++) {
        double total = 0;
        for (float logit : logits.get(i - 1)) {
          total += Math.exp(logit);
        }
        sum += Math.log(total) - logits.get(i - 1)[PROMPT[i]];
      }
      assertThat(cluster.recalls()).isZero();
      assertThat(Math.abs(score.meanNll() - sum / (PROMPT.length - 1))).isLessThan(1e-12);
    }
  }

  private static List<Integer> fromAllLogits(
      InProcessCluster cluster, SamplingParameters parameters) {
    Sampler sampler = new Sampler(parameters, PROMPT);
    List<Integer> tokens = new ArrayList<>();
    cluster
        .loop()
        .run(
            new Sequence(
                PROMPT,
                SequenceChunk.Logits.LAST,
                (position, logits) -> {
                  int id = sampler.sample(position, logits);
                  tokens.add(id);
                  return tokens.size() < NEW_TOKENS ? id : Sequence.AnswerConsumer.END;
                }));
    return tokens;
  }
}
