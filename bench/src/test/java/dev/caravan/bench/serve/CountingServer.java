package dev.caravan.bench.serve;

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
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Answers completions with as many pieces as were asked for; refuses every so many with 429, and
 * negative temperatures with 400.
 */
public final class CountingServer implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  private static final String METRICS =
      """
      vllm:num_requests_running 0
      vllm:num_requests_waiting 0
      vllm:kv_cache_usage_perc 0
      """;

  private final HttpServer server;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final ConcurrentLinkedQueue<JsonNode> requests = new ConcurrentLinkedQueue<>();
  private final AtomicInteger running = new AtomicInteger();
  private final AtomicInteger mostRunning = new AtomicInteger();
  private final AtomicInteger count = new AtomicInteger();
  private final int refuseEvery;

  /**
   * @param refuseEvery 0 for never
   */
  public CountingServer(int refuseEvery) throws IOException {
    this.refuseEvery = refuseEvery;
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext(
        "/v1/models", exchange -> send(exchange, 200, "{\"data\":[{\"id\":\"m\"}]}"));
    server.createContext("/v1/completions", this::complete);
    server.createContext("/metrics", exchange -> send(exchange, 200, METRICS));
    server.start();
  }

  public String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  List<JsonNode> requests() {
    return List.copyOf(requests);
  }

  int mostRunning() {
    return mostRunning.get();
  }

  private void complete(HttpExchange exchange) throws IOException {
    mostRunning.accumulateAndGet(running.incrementAndGet(), Math::max);
    JsonNode request = JSON.readTree(exchange.getRequestBody());
    requests.add(request);
    int number = count.incrementAndGet();
    if (refuseEvery > 0 && number % refuseEvery == 0) {
      running.decrementAndGet();
      send(exchange, 429, "{\"error\":{\"message\":\"the queue is full\"}}");
      return;
    }
    if (request.path("temperature").asDouble() < 0) {
      running.decrementAndGet();
      send(exchange, 400, "{\"error\":{\"message\":\"temperature\"}}");
      return;
    }
    if (!request.path("stream").asBoolean()) {
      running.decrementAndGet();
      send(exchange, 200, "{\"choices\":[{\"text\":\"a\"}]}");
      return;
    }
    StringBuilder events = new StringBuilder();
    int tokens = request.path("max_tokens").asInt();
    for (int i = 0; i < tokens; i++) {
      events.append("data: {\"choices\":[{\"text\":\"a\"}]}\n\n");
    }
    events.append(
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":%d,\"completion_tokens\":%d}}\n\n"
            .formatted(request.path("prompt").size(), tokens));
    running.decrementAndGet();
    send(exchange, 200, events.append("data: [DONE]\n\n").toString());
  }

  private static void send(HttpExchange exchange, int status, String text) throws IOException {
    exchange.sendResponseHeaders(status, 0);
    try (OutputStream body = exchange.getResponseBody()) {
      body.write(text.getBytes(StandardCharsets.UTF_8));
    }
  }

  @Override
  public void close() {
    server.stop(0);
    threads.close();
  }
}
