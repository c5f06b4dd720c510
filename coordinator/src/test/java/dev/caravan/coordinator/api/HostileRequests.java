package dev.caravan.coordinator.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Requests that nobody who means well sends, the same ones for the same seed. */
public final class HostileRequests {
  static final String CHAT = "/v1/chat/completions";
  static final String VALID =
      "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"prompt\":\"hi\",\"tokens\":[1]}";
  private static final List<String> PATHS =
      List.of(CHAT, "/v1/completions", "/tokenize", "/detokenize", "/apply-template");

  /** Fields of chats that are wrong. */
  private static final List<String> WRONG_FIELDS =
      List.of(
          "\"temperature\":\"1\"",
          "\"temperature\":1e999",
          "\"temperature\":-0.1",
          "\"top_p\":0",
          "\"top_p\":[1]",
          "\"top_k\":-2",
          "\"min_p\":{}",
          "\"repetition_penalty\":0",
          "\"seed\":99999999999999999999",
          "\"n\":0",
          "\"n\":1000000",
          "\"stop\":[[]]",
          "\"stop\":5",
          "\"stop\":\"\"",
          "\"max_tokens\":-1",
          "\"max_tokens\":1.5",
          "\"max_completion_tokens\":\"many\"",
          "\"logprobs\":5",
          "\"logprobs\":true,\"top_logprobs\":-1",
          "\"stream\":\"yes\"",
          "\"stream\":true,\"stream_options\":7",
          "\"model\":[]",
          "\"model\":\"\\ud800\"",
          "\"messages\":{}",
          "\"messages\":[1]",
          "\"messages\":[{\"role\":\"user\"}]",
          "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]",
          "\"messages\":[{\"role\":\"\\u0000\",\"content\":\"x\"}]");

  private final long seed;
  private final Random random;
  private final URI server;
  private final String key;

  /**
   * @param key to send, so that requests are refused for what they are
   */
  public HostileRequests(long seed, URI server, String key) {
    this.seed = seed;
    this.random = new Random(seed);
    this.server = server;
    this.key = key;
  }

  /** Sends so many, one after the other, and checks that each is refused as it should be. */
  public void send(HttpClient client, int count) throws IOException, InterruptedException {
    List<Socket> slow = new ArrayList<>();
    try {
      for (int i = 0; i < count; i++) {
        if (i % 1000 == 0) {
          slow.add(slowClient());
        }
        if (i % 500 == 499) {
          garbage();
        } else {
          HttpRequest request = request(i);
          HttpResponse<String> response = client.send(request, BodyHandlers.ofString());
          assertThat(response.statusCode())
              .as("seed %d, request %d: %s: %s", seed, i, request, response.body())
              .isBetween(400, 499);
          assertThat(response.body()).contains("{\"error\":{\"message\":");
        }
      }
    } finally {
      for (Socket socket : slow) {
        socket.close();
      }
    }
  }

  private HttpRequest request(int index) {
    String path = PATHS.get(random.nextInt(PATHS.size()));
    return switch (index % 10) {
      case 0 -> post(path, bytes(VALID.substring(0, random.nextInt(VALID.length()))));
      case 1 -> post(path, noise());
      case 2 -> post(path, bytes("[".repeat(1 + random.nextInt(100_000))));
      case 3 -> post(path, bytes("{\"messages\":".repeat(101 + random.nextInt(1000))));
      case 4 -> post(path, bytes("{\"model\":\"%d\",%s".formatted(index, VALID.substring(1))));
      case 5 -> post(path, invalidUtf8());
      case 6 -> post(path, bytes(VALID + "}"));
      case 7 -> post("/v1/" + Long.toHexString(random.nextLong()), bytes(VALID));
      case 8 -> index % 1000 == 8 ? post(path, new byte[(4 << 20) + 1]) : to(path).DELETE().build();
      default ->
          post(
              CHAT,
              bytes(
                  "%s,%s}"
                      .formatted(
                          VALID.substring(0, VALID.length() - 1),
                          WRONG_FIELDS.get(random.nextInt(WRONG_FIELDS.size())))));
    };
  }

  private HttpRequest post(String path, byte[] body) {
    return to(path).POST(BodyPublishers.ofByteArray(body)).build();
  }

  private HttpRequest.Builder to(String path) {
    return HttpRequest.newBuilder(server.resolve(path)).header("Authorization", "Bearer " + key);
  }

  private byte[] noise() {
    byte[] bytes = new byte[random.nextInt(2000)];
    random.nextBytes(bytes);
    return bytes;
  }

  private byte[] invalidUtf8() {
    byte[] bytes = bytes(VALID);
    byte[][] bad = {{(byte) 0xff}, {(byte) 0xc3}, {(byte) 0xed, (byte) 0xa0, (byte) 0x80}};
    byte[] chosen = bad[random.nextInt(bad.length)];
    System.arraycopy(chosen, 0, bytes, VALID.indexOf("hi"), Math.min(2, chosen.length));
    return bytes;
  }

  /** Begins a request and never ends it. */
  private Socket slowClient() throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.getPort());
    send(
        socket,
        "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{".formatted(CHAT));
    return socket;
  }

  /** Speaks no HTTP: gets an error or is hung up on. */
  private void garbage() throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.getPort())) {
      send(
          socket,
          switch (random.nextInt(3)) {
            case 0 -> "GET / HTTP/9.9\r\n\r\n";
            case 1 ->
                "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n".formatted(CHAT);
            default -> "GET /%s HTTP/1.1\r\n\r\n".formatted("x".repeat(100_000));
          });
      socket.shutdownOutput();
      InputStream in = socket.getInputStream();
      String answer = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      assertThat(answer.isEmpty() || answer.startsWith("HTTP/1.1 4")).as(answer).isTrue();
    } catch (SocketException e) {
      assertThat(e).hasMessageContaining("reset");
    }
  }

  static void send(Socket socket, String text) throws IOException {
    socket.getOutputStream().write(bytes(text));
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
