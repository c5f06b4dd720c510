package dev.caravan.coordinator.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class BodyBudgetTest {
  private static final int BUDGET = 1000;

  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private ApiServer server;

  @BeforeEach
  void start() {
    server =
        new ApiServer(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
            new ApiKeys(List.of()),
            List.of(builder ->
                builder
                    .route()
                    .post("/echo")
                    .build(new JsonService(body -> Replies.ok(body).toHttpResponse()))),
            BUDGET);
    server.start();
  }

  @AfterEach
  void stop() {
    client.shutdownNow();
    server.close();
  }

  @Test
  void bodiesThatWereAnsweredLeaveRoomForTheNext() throws Exception {
    for (int i = 0; i < 20; i++) {
      assertThat(send(900).statusCode()).isEqualTo(200);
    }
  }

  @Test
  void bodyOverTheBudgetIsToldToComeBack() throws Exception {
    HttpResponse<String> response = send(BUDGET + 1);
    assertThat(response.statusCode()).as(response.body()).isEqualTo(429);
    assertThat(response.headers().firstValue("retry-after")).isPresent();
    assertThat(response.body()).contains("1001 bytes, over 1000");
  }

  @Test
  void bodiesThatAreStillArrivingTakeTheirPartUntilTheyAreGone() throws Exception {
    Socket slow = beginBody();
    try {
      while (send(300).statusCode() == 200) {
        // Until the bytes of the slow one have arrived; if they come beside ours, it is refused.
        if (slow.getInputStream().available() > 0) {
          slow.close();
          slow = beginBody();
        }
      }
      assertThat(send(300).statusCode()).isEqualTo(429);
      assertThat(send(100).statusCode()).isEqualTo(200);
    } finally {
      slow.close();
    }
    while (send(300).statusCode() != 200) {
      Thread.onSpinWait(); // until the server has seen that it is gone
    }
  }

  /** Sends 800 of 900 bytes. */
  private Socket beginBody() throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
    socket
        .getOutputStream()
        .write(
            HostileRequests.bytes(
                "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900\r\n\r\n"
                    + "x".repeat(800)));
    return socket;
  }

  /** Sends a body of so many bytes. */
  private HttpResponse<String> send(int bytes) throws Exception {
    String empty = "{\"text\":\"\"}";
    String body = "{\"text\":\"" + "x".repeat(bytes - empty.length()) + "\"}";
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:%d/echo".formatted(server.port())))
            .POST(BodyPublishers.ofString(body))
            .build();
    return client.send(request, BodyHandlers.ofString());
  }
}
