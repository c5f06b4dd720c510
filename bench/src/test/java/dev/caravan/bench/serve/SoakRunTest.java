package dev.caravan.bench.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.caravan.bench.serve.SoakVerdict.Check;
import dev.caravan.coordinator.client.ApiClient;
import dev.caravan.model.error.ClusterException;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class SoakRunTest {
  private static final SoakSettings SECOND = settings(Duration.ofSeconds(1));

  private static SoakSettings settings(Duration duration) {
    return new SoakSettings(
        duration,
        2,
        new LengthDistribution.Uniform(1, 20),
        new LengthDistribution.Uniform(1, 9),
        3);
  }

  @Test
  void userHearsOutHangsUpAndMakesMistakes() throws Exception {
    try (CountingServer server = new CountingServer(0);
        ApiClient client = new ApiClient(server.url(), Optional.empty())) {
      SoakUser user = new SoakUser(client, SECOND, "m", new SplittableRandom(5));
      Map<SoakUser.End, Integer> ends = new EnumMap<>(SoakUser.End.class);
      for (int i = 0; i < 60; i++) {
        ends.merge(user.next(), 1, Integer::sum);
      }
      assertThat(ends).containsOnlyKeys(SoakUser.End.values());
      List<JsonNode> requests = server.requests();
      assertThat(requests.stream().filter(each -> each.path("stream").asBoolean()).count())
          .isBetween(1 + (long) ends.get(SoakUser.End.HUNG_UP), 59L);
      assertThat(requests.stream().filter(each -> each.path("temperature").asInt() < 0).count())
          .isEqualTo(ends.get(SoakUser.End.REFUSED).longValue());
      assertThat(requests).allMatch(each -> each.path("prompt").size() <= 20);
    }
  }

  @Test
  void judgesWhatTheServerSaysOfItself() throws Exception {
    try (CountingServer server = new CountingServer(0);
        ApiClient client = new ApiClient(server.url(), Optional.empty())) {
      SoakRun.Outcome outcome = new SoakRun(client, SECOND, "m").run();
      assertThat(outcome.counts().failures()).isEmpty();
      assertThat(outcome.verdict().checks())
          .filteredOn(Check::passed)
          .extracting(Check::name)
          .contains("idle at the end", "KV blocks");
      assertThat(outcome.verdict().passed()).as("after a second").isFalse();
    }
  }

  @Test
  void endsWhenTheServerIsGone() throws Exception {
    CountingServer server = new CountingServer(0);
    try (ApiClient client = new ApiClient(server.url(), Optional.empty())) {
      server.close();
      assertThatThrownBy(() -> new SoakRun(client, settings(Duration.ofHours(1)), "m").run())
          .isInstanceOf(ClusterException.class)
          .hasMessageContaining("/metrics does not answer");
    }
  }
}
