package dev.caravan.coordinator.api;

import static dev.caravan.coordinator.api.HostileRequests.CHAT;
import static dev.caravan.coordinator.api.HostileRequests.VALID;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Requests that nobody who means well sends: only 4xx, and the server goes on. */
@Timeout(240)
final class HostileRequestsTest {
  private static final int REQUESTS = 10_000;
  private static final long SEED = 20261122;

  private TestApi api;
  private HttpClient client;

  @BeforeEach
  void start() {
    api = TestApi.answering("x");
    client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  }

  @AfterEach
  void stop() throws InterruptedException {
    client.shutdownNow();
    api.close();
  }

  @Test
  void malformedRequestsGet4xxAndTheServerGoesOn() throws Exception {
    new HostileRequests(SEED, api.uri("/"), "none").send(client, REQUESTS);
    assertThat(api.engine.requests()).isEmpty();
    assertThat(api.post(CHAT, VALID).statusCode()).isEqualTo(200);
  }

  @Test
  void callerThatDoesNotReadIsCutOff() throws Exception {
    api.close();
    api = TestApi.on(new ScriptedEngine(_ -> new int[1 << 20], 4));
    String body = VALID.replaceFirst("\\{", "{\"stream\":true,\"max_tokens\":1048576,");
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), api.port())) {
      HostileRequests.send(
          socket,
          "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s"
              .formatted(CHAT, body.length(), body));
      api.engine.awaitCancelled(1);
    }
  }

  @Test
  void eachOf200RequestsIsAnsweredOrToldToComeBack() throws Exception {
    List<CompletableFuture<HttpResponse<String>>> responses = new ArrayList<>();
    api.engine.allow(0);
    for (int i = 0; i < 200; i++) {
      responses.add(
          client.sendAsync(
              HttpRequest.newBuilder(api.uri(CHAT)).POST(BodyPublishers.ofString(VALID)).build(),
              BodyHandlers.ofString()));
    }
    api.engine.awaitRequests(32);
    api.engine.allow(Integer.MAX_VALUE);
    int answered = 0;
    for (CompletableFuture<HttpResponse<String>> each : responses) {
      HttpResponse<String> response = each.get(30, TimeUnit.SECONDS);
      assertThat(response.statusCode()).isIn(200, 429);
      answered += response.statusCode() == 200 ? 1 : 0;
      assertThat(response.headers().firstValue("retry-after").isPresent())
          .isEqualTo(response.statusCode() == 429);
    }
    assertThat(answered).isBetween(32, 199);
  }
}
