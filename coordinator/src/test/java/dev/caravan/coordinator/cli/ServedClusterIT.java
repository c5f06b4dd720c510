package dev.caravan.coordinator.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a serving coordinator shows of itself, on real workers. */
@Timeout(240)
class ServedClusterIT {
  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final String LISTENING = "listening on ";

  private final HttpClient client = HttpClient.newHttpClient();
  private String address = "";

  @Test
  void showsItsWorkersItsCountsALossAndTheRecovery() throws Exception {
    try (DemoModel model = DemoModel.write();
        ChildJvm serve =
            ChildJvm.caravan(
                "serve",
                "--model",
                model.file(),
                "--workers",
                3,
                "--threads",
                1,
                "--http",
                "127.0.0.1:0")) {
      serve.awaitOut(text -> text.contains(LISTENING) && text.endsWith("\n"), PATIENCE);
      address = serve.out().strip().substring(LISTENING.length());
      serve.awaitErr(text -> text.contains("ready to serve"), PATIENCE);

      assertThat(get("/").body()).contains("<title>Caravan</title>");
      JsonNode cluster = new ObjectMapper().readTree(get("/v1/cluster").body());
      assertThat(cluster.at("/workers").findValuesAsText("id"))
          .containsExactly("local-0", "local-1", "local-2");
      assertThat(cluster.at("/workers").findValuesAsText("up")).containsOnly("true");

      generate(5);
      assertThat(get("/metrics").body())
          .containsPattern("vllm:generation_tokens_total\\{[^}]*} [1-9]")
          .containsPattern("caravan_compute_seconds_count\\{[^}]*worker=\"local-2\"[^}]*} [1-9]");
      serve.awaitErr(text -> text.contains("output_tokens=5 "), PATIENCE);

      serve.localWorkers().get(1).destroyForcibly();
      HttpRequest watch = request("/v1/cluster").header("accept", "text/event-stream").build();
      try (Stream<String> events = client.send(watch, BodyHandlers.ofLines()).body()) {
        assertThat(events.anyMatch(event -> event.contains("\"up\":false"))).isTrue();
      }
      serve.awaitErr(text -> text.contains("the cluster is back"), PATIENCE);
      assertThat(get("/metrics").body())
          .containsPattern("caravan_worker_up\\{[^}]*worker=\"local-1\"[^}]*} 1\n")
          .containsPattern("caravan_recoveries_total\\{[^}]*} 1\n");
      generate(3);
    } finally {
      client.shutdownNow();
    }
  }

  private void generate(int tokens) throws IOException, InterruptedException {
    String body =
        "{\"prompt\": \"Once\", \"temperature\": 0, \"max_tokens\": %d}".formatted(tokens);
    HttpRequest post =
        request("/v1/completions")
            .header("content-type", "application/json")
            .POST(BodyPublishers.ofString(body))
            .build();
    HttpResponse<String> response = client.send(post, BodyHandlers.ofString());
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
  }

  private HttpResponse<String> get(String path) throws IOException, InterruptedException {
    return client.send(request(path).build(), BodyHandlers.ofString());
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create(address + path)).timeout(PATIENCE);
  }
}
