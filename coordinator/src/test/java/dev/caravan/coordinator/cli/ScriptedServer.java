package dev.caravan.coordinator.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/** An HTTP server that answers chats with events that a test gives, and keeps what it was asked. */
final class ScriptedServer implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  private static final String WAIT = "wait";

  private final HttpServer server;
  private final CountDownLatch ended = new CountDownLatch(1);
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final ConcurrentLinkedQueue<JsonNode> requests = new ConcurrentLinkedQueue<>();
  private final ConcurrentLinkedQueue<Script> scripts = new ConcurrentLinkedQueue<>();

  /** One answer. */
  private record Script(int status, List<String> lines) {}

  ScriptedServer() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext("/v1/models", this::models);
    server.createContext("/v1/chat/completions", this::chat);
    server.start();
  }

  String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  /** The next answer is a stream of these lines. */
  ScriptedServer answers(String... lines) {
    scripts.add(new Script(200, List.of(lines)));
    return this;
  }

  /** The next answer is a stream of a text in pieces. */
  ScriptedServer says(String... pieces) {
    StringBuilder events = new StringBuilder();
    for (String piece : pieces) {
      events.append("data: {\"choices\":[{\"delta\":{\"content\":\"%s\"}}]}\n\n".formatted(piece));
    }
    return answers(
        events.toString(),
        "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":2}}\n\n",
        "data: [DONE]\n\n");
  }

  /** The next answer begins and does not end while the server runs. */
  ScriptedServer beginsAndWaits(String piece) {
    return answers(
        "data: {\"choices\":[{\"delta\":{\"content\":\"%s\"}}]}\n\n".formatted(piece), WAIT);
  }

  /** The next answer is an error. */
  ScriptedServer refuses(int status, String message) {
    scripts.add(new Script(status, List.of("{\"error\":{\"message\":\"%s\"}}".formatted(message))));
    return this;
  }

  List<JsonNode> requests() {
    return List.copyOf(requests);
  }

  private void models(HttpExchange exchange) throws IOException {
    send(exchange, new Script(200, List.of("{\"data\":[{\"id\":\"tiny\"}]}")));
  }

  private void chat(HttpExchange exchange) throws IOException {
    requests.add(JSON.readTree(exchange.getRequestBody()));
    Script script = scripts.poll();
    send(exchange, script == null ? new Script(500, List.of("no script")) : script);
  }

  private void send(HttpExchange exchange, Script script) throws IOException {
    exchange.sendResponseHeaders(script.status, 0);
    try (OutputStream body = exchange.getResponseBody()) {
      for (String line : script.lines) {
        if (line.equals(WAIT)) {
          waitForEnd();
          return;
        }
        body.write(line.getBytes(StandardCharsets.UTF_8));
        body.flush();
      }
    }
  }

  private void waitForEnd() {
    try {
      assertThat(ended.await(1, TimeUnit.MINUTES)).isTrue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    ended.countDown();
    server.stop(0);
    threads.close();
  }
}
