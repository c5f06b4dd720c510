package dev.caravan.coordinator.client;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;

/** Sends requests to one server. Thread-safe. */
public final class ApiClient implements AutoCloseable {
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);
  private static final int MAX_ERROR_BYTES = 1 << 16;
  private static final int MAX_ANSWER_BYTES = 16 << 20;
  private static final int HTTP_OK = 200;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final HttpClient http =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(CONNECT_TIMEOUT)
          .build();

  private final URI server;
  private final Optional<String> apiKey;

  /**
   * @param url of the server, with or without /v1
   * @throws ClusterException INVALID_REQUEST if it is no http or https address
   */
  public ApiClient(String url, Optional<String> apiKey) {
    this.server = parse(url.replaceFirst("(/v1)?/*$", ""));
    this.apiKey = apiKey;
  }

  private static URI parse(String url) {
    try {
      URI uri = new URI(url);
      if (uri.getHost() != null && String.valueOf(uri.getScheme()).matches("https?")) {
        return uri;
      }
    } catch (URISyntaxException e) {
      // Said below, in the same words.
    }
    throw new ClusterException(
        ErrorCode.INVALID_REQUEST,
        "\"%s\" is no address of a server, such as http://127.0.0.1:8080".formatted(url));
  }

  /**
   * Returns the id of the model that the server serves.
   *
   * @throws ClusterException what the server answered instead, or that it did not answer in time
   */
  public String model(Duration timeout) {
    HttpRequest request = request("/v1/models", timeout).GET().build();
    try (InputStream body = send(request).body()) {
      JsonNode id = JSON.readTree(body).path("data").path(0).path("id");
      if (!id.isTextual()) {
        throw new ClusterException(
            ErrorCode.MODEL_NOT_READY, "%s lists no model".formatted(request.uri()));
      }
      return id.textValue();
    } catch (IOException e) {
      throw unreachable(request, e);
    }
  }

  /**
   * Returns what a GET answers.
   *
   * @param path such as /metrics
   * @throws ClusterException as {@link #stream}
   */
  public String get(String path, Duration timeout) {
    return text(request(path, timeout).GET().build());
  }

  /**
   * Sends a request and waits for its whole answer.
   *
   * @param path such as /v1/completions
   * @throws ClusterException as {@link #stream}; WORKER_LOST if the answer is not JSON
   */
  public JsonNode post(String path, JsonNode body, Duration timeout) {
    String answer = text(posted(path, body, timeout));
    try {
      return JSON.readTree(answer);
    } catch (JsonProcessingException e) {
      throw new ClusterException(
          ErrorCode.WORKER_LOST, "the answer is not JSON: " + e.getOriginalMessage(), e);
    }
  }

  private String text(HttpRequest request) {
    try (InputStream body = send(request).body()) {
      byte[] bytes = body.readNBytes(MAX_ANSWER_BYTES + 1);
      if (bytes.length > MAX_ANSWER_BYTES) {
        throw new ClusterException(
            ErrorCode.WORKER_LOST,
            "%s answers more than %d bytes".formatted(request.uri(), MAX_ANSWER_BYTES));
      }
      return new String(bytes, StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw unreachable(request, e);
    }
  }

  /**
   * Starts a request whose answer is a stream of events.
   *
   * @param path such as /v1/completions
   * @param body asks for a stream
   * @param timeout until the answer begins
   * @throws ClusterException what the server answered instead: OVERLOADED for 429, MODEL_NOT_READY
   *     for 503 or if it cannot be reached, INVALID_REQUEST for other refusals
   */
  public EventStream stream(String path, JsonNode body, Duration timeout) {
    EventStream stream = new EventStream(send(posted(path, body, timeout)).body(), JSON);
    stream.start();
    return stream;
  }

  private HttpRequest posted(String path, JsonNode body, Duration timeout) {
    return request(path, timeout)
        .header("Content-Type", "application/json")
        .POST(HttpRequest.BodyPublishers.ofString(body.toString()))
        .build();
  }

  private HttpRequest.Builder request(String path, Duration timeout) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(server + path)).timeout(timeout);
    apiKey.ifPresent(key -> request.header("Authorization", "Bearer " + key));
    return request;
  }

  private HttpResponse<InputStream> send(HttpRequest request) {
    try {
      HttpResponse<InputStream> response = http.send(request, BodyHandlers.ofInputStream());
      if (response.statusCode() != HTTP_OK) {
        throw refused(response);
      }
      return response;
    } catch (IOException e) {
      throw unreachable(request, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ClusterException(ErrorCode.CANCELLED, "interrupted", e);
    }
  }

  private static ClusterException refused(HttpResponse<InputStream> response) throws IOException {
    int status = response.statusCode();
    String said;
    try (InputStream body = response.body()) {
      said = new String(body.readNBytes(MAX_ERROR_BYTES), StandardCharsets.UTF_8);
    }
    try {
      said = JSON.readTree(said).path("error").path("message").asText(said);
    } catch (JsonProcessingException e) {
      // Not this server's way to say it: it is shown as it came.
    }
    return new ClusterException(code(status), "the server answered %d: %s".formatted(status, said));
  }

  private static ErrorCode code(int status) {
    return switch (status) {
      case 429 -> ErrorCode.OVERLOADED;
      case 503 -> ErrorCode.MODEL_NOT_READY;
      case 504 -> ErrorCode.DEADLINE_EXCEEDED;
      default -> status < 500 ? ErrorCode.INVALID_REQUEST : ErrorCode.WORKER_LOST;
    };
  }

  private static ClusterException unreachable(HttpRequest request, IOException e) {
    return new ClusterException(
        ErrorCode.MODEL_NOT_READY,
        "%s does not answer (%s); is caravan serve running there?"
            .formatted(request.uri(), e.getMessage() == null ? e : e.getMessage()),
        e);
  }

  @Override
  public void close() {
    http.shutdownNow();
  }
}
