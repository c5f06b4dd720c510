package dev.caravan.bench.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.caravan.coordinator.generate.GenerationLoop;
import dev.caravan.coordinator.generate.PerplexityScore;
import dev.caravan.model.step.RuntimeSettings.Sync;
import dev.caravan.model.vocabulary.ReferenceFiles;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What narrow payloads between the workers cost in perplexity: less than 1 % of f32's. */
class SyncPerplexityTest {
  private static final double TOLERANCE = 0.01;

  @ParameterizedTest
  @ValueSource(ints = {2, 4, 8})
  void narrowPayloadsKeepThePerplexity(int ranks) throws IOException {
    GoldenModel model =
        GoldenModel.all(ReferenceFiles.directory(SyncPerplexityTest.class)).stream()
            .filter(m -> m.name().equals("stories260K-f32.gguf"))
            .findFirst()
            .orElseThrow();
    assertThat(model.texts()).isNotEmpty();
    List<Double> exact = perplexities(model, ranks, Sync.F32);
    for (Sync sync : List.of(Sync.BF16, Sync.Q8)) {
      List<Double> narrow = perplexities(model, ranks, sync);
      for (int text = 0; text < exact.size(); text++) {
        double wanted = exact.get(text);
        double actual = narrow.get(text);
        System.out.printf(
            "%d workers, text %d: perplexity %.4f with F32, %.4f with %s (%+.3f %%)%n",
            ranks, text, wanted, actual, sync, 100 * (actual / wanted - 1));
        assertThat(actual)
            .as("text %d over %d workers with %s", text, ranks, sync)
            .isNotEqualTo(wanted)
            .isCloseTo(wanted, within(TOLERANCE * wanted));
      }
    }
  }

  private static List<Double> perplexities(GoldenModel model, int ranks, Sync sync) {
    List<PerplexityScore> scores =
        model.texts().stream().map(text -> new PerplexityScore(text.ids())).toList();
    try (InProcessCluster cluster =
        InProcessCluster.start(
            model.weights(), 1, ranks, new SettingsBuilder().sync(sync).kvBlocks(256).build())) {
      GenerationLoop loop = cluster.loop();
      scores.forEach(score -> loop.submit(score.sequence()));
      while (!loop.isIdle()) {
        loop.step();
      }
    }
    return scores.stream().map(PerplexityScore::perplexity).toList();
  }
}
