package dev.caravan.coordinator.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.caravan.coordinator.api.grpc.GenerationRoutes;
import dev.caravan.coordinator.api.openai.ChatRoutes;
import dev.caravan.coordinator.api.openai.CompletionRoutes;
import dev.caravan.coordinator.api.openai.ModelRoutes;
import dev.caravan.coordinator.api.openai.TextRoutes;
import dev.caravan.coordinator.structure.StructuredOutput;
import dev.caravan.coordinator.text.chat.ChatTemplate;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A server on a scripted engine, and a client of it. */
final class TestApi implements AutoCloseable {
  static final String MODEL = "bytes";
  static final int CONTEXT = 1000;

  private static final String TEMPLATE =
      "{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}"
          + "{% if add_generation_prompt %}[assistant]{% endif %}";

  final ScriptedEngine engine;
  final Serving serving = new Serving();
  private final ApiServer server;
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  private TestApi(ScriptedEngine engine, List<String> keys) {
    this.engine = engine;
    Duration timeout = Duration.ofMinutes(1);
    server =
        new ApiServer(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
            new ApiKeys(keys),
            List.of(
                new ChatRoutes(serving, timeout),
                new CompletionRoutes(serving, timeout),
                new ModelRoutes(serving),
                new TextRoutes(serving),
                new GenerationRoutes(serving, timeout),
                new HealthRoutes(serving::loaded)));
    server.start();
  }

  /** Starts a server that answers every prompt with a text. */
  static TestApi answering(String text) {
    return on(new ScriptedEngine(_ -> ByteVocabulary.ended(text), 32));
  }

  /** Starts a server on an engine. */
  static TestApi on(ScriptedEngine engine) {
    TestApi api = new TestApi(engine, List.of());
    api.load();
    return api;
  }

  /** Starts a server that still loads its model. */
  static TestApi loading(String... keys) {
    return new TestApi(new ScriptedEngine(_ -> ByteVocabulary.ended("x"), 32), List.of(keys));
  }

  void load() {
    serving.ready(
        new Serving.Loaded(
            new ServedModel(
                MODEL,
                1_700_000_000,
                ByteVocabulary.tokenizer(),
                Optional.of(ChatTemplate.parse(TEMPLATE)),
                Map.of(),
                new StructuredOutput(ByteVocabulary.tokenizer()),
                CONTEXT),
            engine));
  }

  URI uri(String path) {
    return URI.create("http://127.0.0.1:%d%s".formatted(server.port(), path));
  }

  int port() {
    return server.port();
  }

  HttpResponse<String> get(String path, String... headers)
      throws IOException, InterruptedException {
    HttpRequest.Builder request = HttpRequest.newBuilder(uri(path));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return client.send(request.build(), BodyHandlers.ofString());
  }

  HttpResponse<String> post(String path, String body, String... headers)
      throws IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(uri(path)).POST(BodyPublishers.ofString(body));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return client.send(request.build(), BodyHandlers.ofString());
  }

  /** Posts with single quotes for double ones and returns the answer, which must be a success. */
  JsonNode answer(String path, String body) throws IOException, InterruptedException {
    HttpResponse<String> response = post(path, body.replace('\'', '"'));
    if (response.statusCode() != 200) {
      throw new AssertionError(response.statusCode() + " " + response.body());
    }
    return json(response.body());
  }

  /** Posts with single quotes for double ones and returns the data of all events. */
  List<String> events(String path, String body) throws IOException, InterruptedException {
    HttpResponse<String> response = post(path, body.replace('\'', '"'));
    if (response.statusCode() != 200) {
      throw new AssertionError(response.statusCode() + " " + response.body());
    }
    List<String> events = new ArrayList<>();
    for (String event : response.body().split("\n\n", -1)) {
      if (!event.isEmpty()) {
        events.add(event.substring("data: ".length()));
      }
    }
    return events;
  }

  static JsonNode json(String text) throws IOException {
    return new ObjectMapper().readTree(text);
  }

  @Override
  public void close() throws InterruptedException {
    client.shutdownNow();
    server.close();
    engine.close();
  }
}
