package dev.caravan.bench.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.caravan.bench.machine.Machine;
import dev.caravan.bench.report.Report;
import dev.caravan.coordinator.client.ApiClient;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class LoadRunTest {

  @Test
  void sendsAllRequestsOfAClosedLoopAndNeverMoreAtOnceThanThereAreUsers() throws Exception {
    try (CountingServer server = new CountingServer(0)) {
      LoadFigures figures = run(server, settings(OptionalDouble.empty(), 3, 0.5));
      assertThat(figures.succeeded()).hasSize(40);
      assertThat(server.mostRunning()).isBetween(1, 3);
      for (JsonNode request : server.requests()) {
        assertThat(request.path("prompt").size()).isBetween(10, 20);
        assertThat(request.path("stream_options").path("include_usage").booleanValue()).isTrue();
      }
      assertThat(figures.succeeded())
          .allSatisfy(outcome -> {
            assertThat(outcome.outputTokens()).isEqualTo(5);
            assertThat(outcome.gapNanos()).hasSize(4);
            assertThat(outcome.ttftMillis()).isPositive();
            assertThat(outcome.totalMillis()).isGreaterThanOrEqualTo(outcome.ttftMillis());
          });
    }
  }

  @Test
  void countsRefusalsAsFailuresByTheirReason() throws Exception {
    try (CountingServer server = new CountingServer(4)) {
      LoadFigures figures = run(server, settings(OptionalDouble.of(500), 1, 0));
      assertThat(figures.outcomes()).hasSize(40);
      assertThat(figures.failures())
          .isEqualTo(Map.of("OVERLOADED: the server answered 429: the queue is full", 10L));
      assertThat(figures.gaps().getTotalCount()).isEqualTo(30 * 4);
    }
  }

  @Test
  void drawsTheSameRequestsFromTheSameSeed() {
    List<LoadSettings.Planned> first = drawn(settings(OptionalDouble.of(20), 1, 0.5));
    List<LoadSettings.Planned> second = drawn(settings(OptionalDouble.of(20), 1, 0.5));
    for (int i = 0; i < first.size(); i++) {
      assertThat(second.get(i).promptIds()).isEqualTo(first.get(i).promptIds());
      assertThat(second.get(i).startNanos()).isEqualTo(first.get(i).startNanos());
    }
    double seconds = first.getLast().startNanos() / 1e9;
    assertThat(first.size() / seconds).isBetween(12.0, 30.0);
  }

  private static List<LoadSettings.Planned> drawn(LoadSettings settings) {
    LoadSettings.Source source = new LoadSettings.Source(settings);
    List<LoadSettings.Planned> drawn = new java.util.ArrayList<>();
    while (source.hasNext()) {
      drawn.add(source.next());
    }
    return drawn;
  }

  @Test
  void sharesTheFirstPartOfThePromptsAndNoMore() {
    List<LoadSettings.Planned> drawn = drawn(settings(OptionalDouble.empty(), 1, 0.5));
    int[] a = drawn.get(0).promptIds();
    int[] b = drawn.get(1).promptIds();
    int shared = Math.min(Math.round(a.length * 0.5f), Math.round(b.length * 0.5f));
    assertThat(Arrays.mismatch(a, b)).isBetween(shared, shared + 2);
  }

  @Test
  void drawsLengthsAsTheyWereAskedFor() {
    SplittableRandom random = new SplittableRandom(5);
    assertThat(LengthDistribution.parse("--x", "7").draw(random)).isEqualTo(7);
    LengthDistribution uniform = LengthDistribution.parse("--x", "uniform:3:5");
    assertThat(random.ints(0, 1).limit(100).map(i -> uniform.draw(random)).distinct().sorted())
        .containsExactly(3, 4, 5);
    LengthDistribution logNormal = LengthDistribution.parse("--x", "lognormal:100:1");
    int[] drawn = random.ints(0, 1).limit(1001).map(i -> logNormal.draw(random)).sorted().toArray();
    assertThat(drawn[500]).isBetween(85, 115);
    assertThat(drawn[1000]).isGreaterThan(500);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "0",
        "x",
        "uniform:5:3",
        "uniform:1",
        "lognormal:9:9",
        "lognormal:1:x",
        "999999"
      })
  void refusesLengthsThatAreNone(String text) {
    assertThatThrownBy(() -> LengthDistribution.parse("--prompt-tokens", text))
        .hasMessageStartingWith("--prompt-tokens " + text);
  }

  @Test
  void countsOnlyRequestsThatMetTheTargetsAsGood() {
    Goal goal = new Goal(100, 10);
    assertThat(goal.isMet(outcome(99, 90, 10))).isTrue();
    assertThat(goal.isMet(outcome(101, 90, 10))).isFalse();
    assertThat(goal.isMet(outcome(99, 91, 10))).isFalse();
    assertThat(goal.isMet(outcome(99, 0, 1))).isTrue();
    assertThat(goal.isMet(Outcome.failed(0, 5, "gone"))).isFalse();
  }

  private static Outcome outcome(long ttftMillis, long restMillis, int tokens) {
    long first = ttftMillis * 1_000_000;
    return new Outcome(0, first, first + restMillis * 1_000_000, new long[0], 1, 0, tokens, "");
  }

  @Test
  void drawsAPageThatNeedsNothingElse() throws Exception {
    try (CountingServer server = new CountingServer(0)) {
      LoadFigures figures = run(server, settings(OptionalDouble.empty(), 4, 0));
      Report report = new Report("serve", Machine.here(), Map.of("model", "<m>"));
      report.add(figures.latencies());
      report.add(figures.rates(new Goal(1e9, 1e9)));
      String page = new HtmlReport(report, figures).render();
      assertThat(page).contains("--model &lt;m&gt;", "prefers-color-scheme: dark", "p99 ms");
      assertThat(page.split("<svg", -1)).hasSize(5);
      assertThat(page).doesNotContain("NaN", "http", "src=");
    }
  }

  private static LoadSettings settings(OptionalDouble rate, int users, double shared) {
    return new LoadSettings(
        40,
        rate,
        users,
        new LengthDistribution.Uniform(10, 20),
        new LengthDistribution.Fixed(5),
        shared,
        3,
        Duration.ofMinutes(1),
        Duration.ofSeconds(30));
  }

  private static LoadFigures run(CountingServer server, LoadSettings settings) throws Exception {
    try (ApiClient client = new ApiClient(server.url(), Optional.empty())) {
      return new LoadRun(client, settings, "m").run();
    }
  }
}
