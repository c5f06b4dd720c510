package dev.caravan.coordinator.page;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.linecorp.armeria.server.Server;
import com.linecorp.armeria.server.ServerBuilder;
import dev.caravan.coordinator.generate.StepReport;
import dev.caravan.coordinator.metrics.EngineCounts;
import dev.caravan.coordinator.metrics.Monitor;
import dev.caravan.coordinator.metrics.SmallCluster;
import dev.caravan.coordinator.metrics.StillEngine;
import dev.caravan.model.step.StepResult.WorkerTimes;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class PageRoutesTest {
  private static final Pattern REFERENCE =
      Pattern.compile("(?:src|href)=\"(/[^\"]+)\"|(?:from ?|import ?)\"(\\./[^\"]+)\"");

  private static final EngineCounts COUNTS = new EngineCounts(4, 256, () -> 0);
  private static final AtomicBoolean FIRST_IS_UP = new AtomicBoolean();
  private static HttpClient client;
  private static Server server;

  @BeforeAll
  static void start() {
    Monitor monitor =
        new Monitor(
            SmallCluster.of(2, 2, true, member -> member.port() != 4000 || FIRST_IS_UP.get()),
            StillEngine.BUSY,
            COUNTS);
    ServerBuilder builder = Server.builder().http(0).gracefulShutdownTimeoutMillis(0, 0);
    new PageRoutes(() -> monitor).addTo(builder);
    server = builder.build();
    server.start().join();
    client = HttpClient.newHttpClient();
  }

  @BeforeEach
  void reviveFirst() {
    FIRST_IS_UP.set(true);
  }

  @AfterAll
  static void stop() {
    client.shutdownNow();
    server.stop().join();
  }

  @Test
  void drawsTheClusterAsJson() throws Exception {
    WorkerTimes times = new WorkerTimes(3_000_000, 2_000_000, 1_000_000, 64);
    COUNTS.onStep(new StepReport(1, 0, 5, List.of(times, times, times, times)));
    FIRST_IS_UP.set(false);
    HttpResponse<String> response = get("/v1/cluster");
    JsonNode json = new ObjectMapper().readTree(response.body());
    assertThat(response.headers().firstValue("content-type")).hasValue("application/json");
    assertThat(json.at("/model/id").asText()).isEqualTo("tiny");
    assertThat(json.at("/model/context_length").asInt()).isEqualTo(256);
    assertThat(json.at("/stages").asInt()).isEqualTo(2);
    assertThat(json.at("/ranks").asInt()).isEqualTo(2);
    assertThat(json.at("/engine/state").asText()).isEqualTo("serving");
    assertThat(json.at("/engine/kv_blocks_cached").asInt()).isEqualTo(4);
    assertThat(json.at("/tokens_history")).hasSize(60);
    assertThat(json.at("/workers")).hasSize(4);
    assertThat(json.at("/workers/0/up").asBoolean()).isFalse();
    assertThat(json.at("/workers/3/up").asBoolean()).isTrue();
    assertThat(json.at("/workers/3/address").asText()).isEqualTo("127.0.0.1:4003");
    assertThat(json.at("/workers/3/shard"))
        .isEqualTo(
            new ObjectMapper()
                .readTree(
                    """
                    {"stage": 1, "rank": 1, "layers": [2, 4], "heads": [1, 2], "kv_heads": [1, 2],
                     "ffn_columns": [48, 96], "vocab_rows": [50, 100]}\
                    """));
    assertThat(json.at("/workers/3/weight_bytes").asLong()).isEqualTo(1003);
    assertThat(json.at("/workers/3/times"))
        .isEqualTo(
            new ObjectMapper()
                .readTree(
                    """
                    {"compute_seconds": 0.003, "sync_seconds": 0.002, "wait_seconds": 0.001,
                     "sync_bytes": 64}\
                    """));
  }

  @Test
  void streamsTheClusterToWhoAcceptsEvents() throws Exception {
    try (BufferedReader events =
        new BufferedReader(new InputStreamReader(watch().body(), StandardCharsets.UTF_8))) {
      assertThat(events.readLine()).startsWith("data: {\"model\"").contains("\"up\":true");
      FIRST_IS_UP.set(false);
      assertThat(events.readLine()).isEmpty();
      assertThat(events.readLine()).startsWith("data: {\"model\"").contains("\"up\":false");
    }
  }

  @Test
  void boundsTheNumberOfWatchers() throws Exception {
    // One more than may be; the stream of an earlier test may still be about to end.
    List<HttpResponse<InputStream>> watchers = new ArrayList<>();
    for (int i = 0; i <= ClusterService.MAX_WATCHERS; i++) {
      watchers.add(watch());
    }
    assertThat(watchers.stream().filter(watcher -> watcher.statusCode() == 200).count())
        .isBetween(ClusterService.MAX_WATCHERS - 1L, (long) ClusterService.MAX_WATCHERS);
    for (HttpResponse<InputStream> watcher : watchers) {
      watcher.body().close();
    }
  }

  @Test
  void servesMetricsAsPrometheusText() throws Exception {
    HttpResponse<String> response = get("/metrics");
    assertThat(response.headers().firstValue("content-type"))
        .hasValue("text/plain; version=0.0.4; charset=utf-8");
    assertThat(response.body()).contains("\nvllm:num_requests_waiting{model_name=\"tiny\"} 2\n");
  }

  @Test
  void servesThePageAndAllItLoadsUnderAStrictPolicy() throws Exception {
    List<String> paths = new ArrayList<>(List.of("/"));
    for (int i = 0; i < paths.size(); i++) {
      HttpResponse<String> response = get(paths.get(i));
      assertThat(response.statusCode()).as(paths.get(i)).isEqualTo(200);
      assertThat(response.headers().firstValue("content-security-policy").orElseThrow())
          .startsWith("default-src 'none'; script-src 'self'; style-src 'self'")
          .doesNotContain("unsafe");
      assertThat(response.headers().firstValue("x-content-type-options")).hasValue("nosniff");
      URI base = uri(paths.get(i));
      REFERENCE
          .matcher(response.body())
          .results()
          .map(PageRoutesTest::reference)
          .map(reference -> base.resolve(reference).getPath())
          .filter(path -> !paths.contains(path))
          .forEach(paths::add);
    }
    assertThat(paths)
        .contains("/page/style.css", "/page/cluster-view.js", "/page/vendor/preact.js")
        .hasSizeGreaterThan(15);
  }

  @Test
  void servesNothingBesideThePagesFiles() throws Exception {
    for (String path :
        List.of(
            "/page/nothing.js", "/page/../ClusterView.class", "/page/%2e%2e/ClusterView.class")) {
      assertThat(get(path).statusCode()).as(path).isIn(400, 403, 404);
    }
  }

  private static String reference(MatchResult match) {
    return match.group(1) != null ? match.group(1) : match.group(2);
  }

  private static HttpResponse<InputStream> watch() throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(uri("/v1/cluster")).header("accept", "text/event-stream").build();
    return client.send(request, BodyHandlers.ofInputStream());
  }

  private static HttpResponse<String> get(String path) throws IOException, InterruptedException {
    return client.send(HttpRequest.newBuilder(uri(path)).build(), BodyHandlers.ofString());
  }

  private static URI uri(String path) {
    return URI.create("http://127.0.0.1:" + server.activeLocalPort() + path);
  }
}
