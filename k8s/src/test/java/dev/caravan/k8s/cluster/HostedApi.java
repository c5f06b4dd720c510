package dev.caravan.k8s.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.caravan.k8s.net.Relay;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;

/** The coordinator's API as a client on its own host sees it. */
final class HostedApi implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Relay relay;
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  HostedApi(Relay relay) {
    this.relay = relay;
  }

  /** Asks for a completion and returns the whole answer, whatever its status. */
  HttpResponse<String> complete(int tokens) throws IOException, InterruptedException {
    return client.send(completion(tokens, false), BodyHandlers.ofString());
  }

  /** Returns the text of a completion. */
  String text(int tokens) throws IOException, InterruptedException {
    HttpResponse<String> response = complete(tokens);
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    return JSON.readTree(response.body()).at("/choices/0/text").textValue();
  }

  /** Begins a stream of server-sent events. */
  BufferedReader stream(int tokens) throws IOException, InterruptedException {
    HttpResponse<InputStream> response =
        client.send(completion(tokens, true), BodyHandlers.ofInputStream());
    assertThat(response.statusCode()).isEqualTo(200);
    return new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8));
  }

  HttpResponse<String> get(String path) throws IOException, InterruptedException {
    return client.send(request(path).build(), BodyHandlers.ofString());
  }

  /** Waits until /readyz answers with that status. */
  void awaitReadiness(int status) throws IOException, InterruptedException {
    long end = System.nanoTime() + HostedCluster.PATIENCE.toNanos();
    while (get("/readyz").statusCode() != status) {
      assertThat(System.nanoTime()).as("/readyz is not %d in time", status).isLessThan(end);
      Thread.onSpinWait();
    }
  }

  @Override
  public void close() {
    client.shutdownNow();
    relay.close();
  }

  private HttpRequest completion(int tokens, boolean stream) {
    String body =
        """
        {"prompt": "Once upon a time", "temperature": 0, "max_tokens": %d, "ignore_eos": true,
         "stream": %b}
        """
            .formatted(tokens, stream);
    return request("/v1/completions").POST(BodyPublishers.ofString(body)).build();
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create(relay.address() + path))
        .timeout(HostedCluster.PATIENCE);
  }
}
