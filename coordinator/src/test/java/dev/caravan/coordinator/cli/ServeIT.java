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
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** How a server on worker JVMs ends, and how it goes on when a worker is lost. */
@Timeout(240)
class ServeIT {
  private static final String STORY =
      """
      {"prompt":"Once upon a time","max_tokens":200,"stream":true,"temperature":0,\
      "logit_bias":{"767":-100}}\
      """;

  private static final Pattern PIECE = Pattern.compile("\"text\":\"((?:[^\"\\\\]|\\\\.)*)\"");

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
  void killedWorkerIsReplacedAndTheStreamGoesOnWithTheSameText() throws Exception {
    String expected;
    try (BufferedReader story = stream()) {
      expected = text(story.lines().toList());
    }
    try (BufferedReader story = stream()) {
      List<String> lines = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        lines.add(story.readLine());
      }
      ChildJvm.signal("KILL", served.jvm().localWorkers().getFirst());
      served.jvm().awaitErr(text -> text.contains("the cluster failed"), Duration.ofSeconds(30));
      HttpResponse<String> refused = post();
      assertThat(refused.statusCode()).as(refused.body()).isEqualTo(503);
      assertThat(refused.headers().firstValue("retry-after")).isPresent();
      assertThat(refused.body()).contains("being brought back", "worker local-0");
      assertThat(get("/readyz")).isEqualTo(503);
      assertThat(get("/livez")).isEqualTo(200);
      story.lines().forEach(lines::add);
      assertThat(lines).contains("data: [DONE]");
      assertThat(text(lines)).isEqualTo(expected);
    }
    assertThat(served.jvm().err()).contains("worker=local-1 stage=0 rank=1 kept its shard");
    assertThat(served.jvm().localWorkers()).hasSize(2);
  }

  /** The pieces of a stream put together. */
  private static String text(List<String> lines) {
    StringBuilder text = new StringBuilder();
    for (String line : lines) {
      Matcher piece = PIECE.matcher(line);
      if (piece.find()) {
        text.append(piece.group(1));
      }
    }
    assertThat(text.toString()).isNotBlank();
    return text.toString();
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
