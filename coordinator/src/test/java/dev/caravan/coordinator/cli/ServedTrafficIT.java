package dev.caravan.coordinator.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.caravan.coordinator.api.HostileRequests;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Many callers at once on three workers, with fewer KV blocks than they want. */
@Timeout(240)
class ServedTrafficIT {
  private static final int STREAMS = 16;
  private static final int TOKENS = 28;
  private static final int CONTEXT = 64;
  private static final long SEED = 20261123;
  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir static Path directory;
  private static ServedDemo served;
  private static HttpClient client;

  @BeforeAll
  static void start() throws Exception {
    client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    // 16 blocks: eight generations begin with one or two each, and grow to three.
    served = ServedDemo.start(directory, 3, "--ctx", CONTEXT, "--kv-contexts", 4);
  }

  @AfterAll
  static void stop() {
    client.shutdownNow();
    served.close();
  }

  @Test
  void sixteenStreamsGiveWhatEachGivesAloneWhileOthersComeAndGo() throws Exception {
    List<String> alone = new ArrayList<>();
    for (int i = 0; i < STREAMS; i++) {
      alone.add(text(client.send(post(request(i)), BodyHandlers.ofString())));
    }
    double preemptions = metric("vllm:num_preemptions_total");
    List<CompletableFuture<HttpResponse<String>>> together = new ArrayList<>();
    List<CompletableFuture<HttpResponse<String>>> others = new ArrayList<>();
    List<HttpResponse<InputStream>> cancelled = new ArrayList<>();
    for (int i = 0; i < STREAMS; i++) {
      if (i % 2 == 0) {
        cancelled.add(stream(request(100 + i)));
      } else {
        others.add(client.sendAsync(post(request(100 + i)), BodyHandlers.ofString()));
      }
      together.add(client.sendAsync(post(request(i)), BodyHandlers.ofString()));
    }
    for (HttpResponse<InputStream> stream : cancelled) {
      stream.body().close();
    }
    for (int i = 0; i < STREAMS; i++) {
      assertThat(text(answer(together.get(i)))).as("stream %d", i).isEqualTo(alone.get(i));
    }
    for (CompletableFuture<HttpResponse<String>> other : others) {
      assertThat(text(answer(other))).isNotEmpty();
    }
    assertThat(metric("vllm:num_preemptions_total")).isGreaterThan(preemptions);
  }

  @Test
  void eachOf200RequestsIsAnsweredOrToldToComeBack() throws Exception {
    double stopped = metric("vllm:request_success_total");
    List<CompletableFuture<HttpResponse<String>>> responses = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      HttpRequest request = post(request(i).put("max_tokens", 2));
      responses.add(client.sendAsync(request, BodyHandlers.ofString()));
    }
    int answered = 0;
    for (CompletableFuture<HttpResponse<String>> each : responses) {
      HttpResponse<String> response = answer(each);
      assertThat(response.statusCode()).as(response.body()).isIn(200, 429);
      assertThat(response.headers().firstValue("retry-after").isPresent())
          .isEqualTo(response.statusCode() == 429);
      answered += response.statusCode() == 200 ? 1 : 0;
    }
    // 32 wait, and as many run as there are KV blocks for: at least one. Of the others those find
    // room who come after the first have ended.
    assertThat(answered).isBetween(33, 199);
    assertThat(metric("vllm:request_success_total") - stopped).isGreaterThanOrEqualTo(answered);
  }

  @Test
  void callerThatHangsUpGivesItsBlocksBackAtOnce() throws Exception {
    double aborted = metric("vllm:request_success_total", "abort");
    HttpResponse<InputStream> stream = stream(request(7).put("max_tokens", CONTEXT));
    assertThat(stream.body().readNBytes(10)).isNotEmpty();
    assertThat(engine().path("kv_blocks_used").asInt()).isPositive();
    stream.body().close();
    JsonNode engine = engine();
    while (engine.path("running").asInt() > 0) {
      engine = engine();
    }
    assertThat(engine.path("kv_blocks_used").asInt()).isZero();
    assertThat(metric("vllm:request_success_total", "abort") - aborted).isEqualTo(1);
  }

  @Test
  void hostileRequestsAreRefusedAndServingGoesOn() throws Exception {
    String before = text(client.send(post(request(3)), BodyHandlers.ofString()));
    new HostileRequests(SEED, URI.create(served.address()), ServedDemo.KEY).send(client, 500);
    assertThat(text(client.send(post(request(3)), BodyHandlers.ofString()))).isEqualTo(before);
    assertThat(engine().path("kv_blocks_used").asInt()).isZero();
    HttpRequest ready = HttpRequest.newBuilder(URI.create(served.address() + "/readyz")).build();
    assertThat(client.send(ready, BodyHandlers.ofString()).statusCode()).isEqualTo(200);
  }

  /** A completion that depends on its index alone; never ended by the model. */
  private static ObjectNode request(int index) {
    ObjectNode body = JSON.createObjectNode();
    ArrayNode prompt = body.putArray("prompt");
    Random random = new Random(index);
    IntStream.range(0, 4 + index % STREAMS).forEach(_ -> prompt.add(3 + random.nextInt(700)));
    return body.put("max_tokens", TOKENS)
        .put("ignore_eos", true)
        .put("seed", index)
        .put("temperature", index % 3 * 0.5);
  }

  /** Starts a stream; its first part has come. */
  private static HttpResponse<InputStream> stream(ObjectNode body) throws Exception {
    HttpResponse<InputStream> response =
        client.send(post(body.put("stream", true)), BodyHandlers.ofInputStream());
    assertThat(response.statusCode()).isEqualTo(200);
    return response;
  }

  private static HttpRequest post(ObjectNode body) {
    return HttpRequest.newBuilder(URI.create(served.address() + "/v1/completions"))
        .header("Authorization", "Bearer " + ServedDemo.KEY)
        .timeout(PATIENCE)
        .POST(BodyPublishers.ofString(body.toString()))
        .build();
  }

  private static HttpResponse<String> answer(CompletableFuture<HttpResponse<String>> response)
      throws Exception {
    return response.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
  }

  private static String text(HttpResponse<String> response) throws IOException {
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    return JSON.readTree(response.body()).at("/choices/0/text").textValue();
  }

  private static JsonNode engine() throws IOException, InterruptedException {
    return JSON.readTree(get("/v1/cluster")).path("engine");
  }

  /** Adds up the samples of a metric with a text in their labels. */
  private static double metric(String name, String label) throws Exception {
    Pattern sample = Pattern.compile("(?m)^" + name + "\\{[^}]*" + label + "[^}]*} (\\S+)$");
    Matcher found = sample.matcher(get("/metrics"));
    double sum = 0;
    while (found.find()) {
      sum += Double.parseDouble(found.group(1));
    }
    return sum;
  }

  private static double metric(String name) throws Exception {
    return metric(name, "");
  }

  private static String get(String path) throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(served.address() + path))
            .header("Authorization", "Bearer " + ServedDemo.KEY)
            .timeout(PATIENCE)
            .build();
    return client.send(request, BodyHandlers.ofString()).body();
  }
}
