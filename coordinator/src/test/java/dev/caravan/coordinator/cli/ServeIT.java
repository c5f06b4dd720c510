package dev.caravan.coordinator.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** How a server on worker JVMs ends, and what it says when a worker is lost. */
@Timeout(240)
class ServeIT {
  private static final String STORY =
      """
      {"prompt":"Once upon a time","max_tokens":400,"stream":true,"temperature":0,\
      "logit_bias":{"767":-100}}\
      """;

  @TempDir Path directory;
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private ServedDemo served;

  @BeforeEach
  void start() throws Exception {
    served = ServedDemo.start(directory);
  }

  @AfterEach
  void stop() {
    client.shutdownNow();
    served.close();
  }

  @Test
  void terminatedServerFinishesWhatRunsRefusesTheRestAndExitsWithZero() throws Exception {
    List<ProcessHandle> workers = served.jvm().localWorkers();
    try (BufferedReader story = stream()) {
      assertThat(story.readLine()).startsWith("data: ");
      ChildJvm.signal("TERM", served.jvm().handle());
      served.jvm().awaitErr(text -> text.contains("caravan: ending"), Duration.ofSeconds(30));
      assertThat(get("/readyz")).isEqualTo(503);
      assertThat(get("/livez")).isEqualTo(200);
      assertThat(story.lines().filter(line -> !line.isEmpty()).toList().getLast())
          .isEqualTo("data: [DONE]");
    }
    assertThat(served.jvm().awaitExit(Duration.ofSeconds(30))).isZero();
    for (ProcessHandle worker : workers) {
      assertThat(ChildJvm.awaitGone(worker, Duration.ofSeconds(10))).isTrue();
    }
  }

  @Test
  void lostWorkerEndsStreamsWithAnErrorAndTheServerIsNotReady() throws Exception {
    try (BufferedReader story = stream()) {
      assertThat(story.readLine()).startsWith("data: ");
      ChildJvm.signal("KILL", served.jvm().localWorkers().getFirst());
      assertThat(story.lines().filter(line -> !line.isEmpty()).toList().getLast())
          .startsWith("data: {\"error\":{")
          .contains("\"code\":\"worker_lost\"");
    }
    assertThat(get("/readyz")).isEqualTo(503);
    assertThat(post().statusCode()).isEqualTo(503);
    assertThat(get("/livez")).isEqualTo(200);
  }

  private BufferedReader stream() throws Exception {
    HttpResponse<InputStream> response = client.send(request(), BodyHandlers.ofInputStream());
    assertThat(response.statusCode()).isEqualTo(200);
    return new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8));
  }

  private HttpResponse<String> post() throws Exception {
    return client.send(request(), BodyHandlers.ofString());
  }

  private HttpRequest request() {
    return HttpRequest.newBuilder(URI.create(served.address() + "/v1/completions"))
        .header("Authorization", "Bearer " + ServedDemo.KEY)
        .POST(BodyPublishers.ofString(STORY))
        .build();
  }

  private int get(String path) throws Exception {
    HttpRequest request = HttpRequest.newBuilder(URI.create(served.address() + path)).build();
    return client.send(request, BodyHandlers.ofString()).statusCode();
  }
}
