package dev.caravan.coordinator.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** States, keys, errors and callers that go away. */
@Timeout(60)
final class ApiServerTest {
  private static final String CHAT = "/v1/chat/completions";
  private static final String HELLO =
      "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"stream\":true}";

  @Test
  void saysHowFarLoadingIs() throws Exception {
    try (TestApi api = TestApi.loading()) {
      api.serving.loading("2 of 3 workers have joined");
      assertThat(api.get("/livez").statusCode()).isEqualTo(200);
      for (String path : List.of("/readyz", "/health", "/v1/models")) {
        assertNotReady(api.get(path));
      }
      assertNotReady(api.post(CHAT, HELLO));
      api.load();
      assertThat(api.get("/readyz").statusCode()).isEqualTo(200);
      assertThat(api.post(CHAT, HELLO).statusCode()).isEqualTo(200);
    }
  }

  @Test
  void refusesWhenItDrains() throws Exception {
    try (TestApi api = TestApi.answering("x")) {
      api.serving.drain();
      HttpResponse<String> response = api.post(CHAT, HELLO);
      assertThat(response.statusCode()).isEqualTo(503);
      assertThat(response.headers().firstValue("retry-after")).isPresent();
      assertThat(api.get("/readyz").statusCode()).isEqualTo(503);
      assertThat(api.get("/livez").statusCode()).isEqualTo(200);
    }
  }

  @Test
  void pagesOfOtherSitesAreKeptAway() throws Exception {
    try (TestApi api = TestApi.answering("x")) {
      for (String foreign :
          List.of("https://example.com", "null", "http://127.0.0.1.example.com")) {
        HttpResponse<String> response = api.post(CHAT, HELLO, "Origin", foreign);
        assertThat(response.statusCode()).as(foreign).isEqualTo(403);
        assertThat(TestApi.json(response.body()).at("/error/code").textValue())
            .isEqualTo("foreign_origin");
      }
      for (String own : List.of("http://localhost:8080", "http://127.0.0.1:1", "http://[::1]:1")) {
        assertThat(api.post(CHAT, HELLO, "Origin", own).statusCode()).as(own).isEqualTo(200);
      }
    }
    try (TestApi api = TestApi.loading("key")) {
      api.load();
      String[] headers = {"Authorization", "Bearer key", "Origin", "https://example.com"};
      assertThat(api.post(CHAT, HELLO, headers).statusCode()).isEqualTo(200);
    }
  }

  @Test
  void namesThatLeadHereByForeignDnsAreRefused() throws Exception {
    try (TestApi api = TestApi.answering("x")) {
      assertThat(statusOf(api, "rebound.example.com")).contains(" 403 ");
      assertThat(statusOf(api, "localhost:8080")).contains(" 200 ");
    }
  }

  private static String statusOf(TestApi api, String host) throws Exception {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), api.port())) {
      String request = "GET /livez HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n";
      socket.getOutputStream().write(request.formatted(host).getBytes(StandardCharsets.US_ASCII));
      return new BufferedReader(
              new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII))
          .readLine();
    }
  }

  @Test
  void keysGuardAllButProbes() throws Exception {
    try (TestApi api = TestApi.loading("first", "second")) {
      api.load();
      assertThat(api.get("/livez").statusCode()).isEqualTo(200);
      assertThat(api.get("/readyz").statusCode()).isEqualTo(200);
      assertThat(api.get("/v1/models").statusCode()).isEqualTo(401);
      for (String wrong :
          List.of("Bearer third", "Bearer ", "first", "Basic first", "Bearer firs")) {
        HttpResponse<String> response = api.post(CHAT, HELLO, "Authorization", wrong);
        assertThat(response.statusCode()).as(wrong).isEqualTo(401);
        assertThat(TestApi.json(response.body()).at("/error/code").textValue())
            .isEqualTo("invalid_api_key");
      }
      for (String right : List.of("Bearer first", "bearer second")) {
        assertThat(api.post(CHAT, HELLO, "Authorization", right).statusCode()).isEqualTo(200);
      }
    }
  }

  @Test
  void refusalsNameTheField() throws Exception {
    try (TestApi api = TestApi.answering("x")) {
      Map<String, String> fields =
          Map.ofEntries(
              Map.entry("\"temperature\":\"hot\"", "temperature"),
              Map.entry("\"temperature\":-1", "temperature"),
              Map.entry("\"top_p\":1.5", "top_p"),
              Map.entry("\"top_k\":1.5", "top_k"),
              Map.entry("\"min_p\":2", "min_p"),
              Map.entry("\"n\":17", "n"),
              Map.entry("\"seed\":\"x\"", "seed"),
              Map.entry("\"max_tokens\":0", "max_tokens"),
              Map.entry("\"max_completion_tokens\":-5", "max_completion_tokens"),
              Map.entry("\"stop\":[\"a\",\"b\",\"c\",\"d\",\"e\"]", "stop"),
              Map.entry("\"stop\":\"\"", "stop"),
              Map.entry("\"top_logprobs\":3", "top_logprobs"),
              Map.entry("\"logprobs\":true,\"top_logprobs\":21", "top_logprobs"),
              Map.entry("\"stream\":1", "stream"),
              Map.entry("\"stream_options\":{}", "stream_options"),
              Map.entry("\"messages\":[]", "messages"),
              Map.entry("\"messages\":[{\"role\":\"robot\",\"content\":\"\"}]", "messages"));
      for (Map.Entry<String, String> field : fields.entrySet()) {
        // The later of two fields of one name counts.
        HttpResponse<String> response =
            api.post(
                CHAT,
                "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],%s}"
                    .formatted(field.getKey()));
        assertThat(response.statusCode()).as(field.getKey()).isEqualTo(400);
        assertThat(TestApi.json(response.body()).at("/error/param").asText())
            .as(field.getKey())
            .isEqualTo(field.getValue());
      }
      assertThat(api.engine.requests()).isEmpty();
    }
  }

  @Test
  void unknownFieldsAreIgnored() throws Exception {
    try (TestApi api = TestApi.answering("x")) {
      String body = "{'messages':[{'role':'user','content':'hi'}],'user':'me','made_up':[1]}";
      assertThat(api.answer(CHAT, body).at("/choices/0/message/content").asText()).isEqualTo("x");
    }
  }

  @Test
  void unknownPathsMethodsAndModelsAreErrorsInTheSameShape() throws Exception {
    try (TestApi api = TestApi.answering("x")) {
      assertError(api.get("/nowhere"), 404);
      assertError(api.get(CHAT), 405);
      assertError(api.get("/v1/models/other"), 404);
      assertError(api.post(CHAT, "{\"model\":\"other\",\"messages\":[]}"), 404);
      assertError(api.post(CHAT, "{"), 400);
      assertError(api.post(CHAT, "x".repeat((4 << 20) + 1)), 413);
      assertThat(api.get("/v1/models/" + TestApi.MODEL).statusCode()).isEqualTo(200);
    }
  }

  @Test
  void callerThatGoesAwayCancelsItsGeneration() throws Exception {
    try (TestApi api = TestApi.answering("never ends")) {
      api.engine.allow(2);
      try (Socket socket = request(api, HELLO)) {
        BufferedReader in =
            new BufferedReader(
                new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
        for (String line = in.readLine(); !line.contains("\"e\""); line = in.readLine()) {
          assertThat(line).doesNotContain("finish_reason\":\"");
        }
      }
      api.engine.awaitCancelled(1);
    }
  }

  @Test
  void callerOfAWholeAnswerThatGoesAwayCancelsItsGeneration() throws Exception {
    try (TestApi api = TestApi.answering("never ends")) {
      api.engine.allow(0);
      try (Socket socket = request(api, HELLO.replace("true", "false"))) {
        api.engine.awaitRequests(1);
        assertThat(socket.isConnected()).isTrue();
      }
      api.engine.awaitCancelled(1);
    }
  }

  @Test
  void errorInMidStreamIsTheLastEvent() throws Exception {
    try (TestApi api = TestApi.answering("never ends")) {
      api.engine.allow(2);
      try (Socket socket = request(api, HELLO)) {
        BufferedReader in =
            new BufferedReader(
                new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
        while (!in.readLine().contains("\"e\"")) {}
        api.engine.fail(new ClusterException(ErrorCode.WORKER_LOST, "worker 2 is gone"));
        String last = "";
        for (String line = in.readLine(); !line.equals("0"); line = in.readLine()) {
          last = line.startsWith("data: ") ? line : last;
        }
        assertThat(last)
            .isEqualTo(
                """
                data: {"error":{"message":"worker 2 is gone","type":"service_unavailable_error",\
                "param":null,"code":"worker_lost"}}\
                """);
      }
    }
  }

  @Test
  void fullQueueIs429() throws Exception {
    try (TestApi api = TestApi.on(new ScriptedEngine(_ -> ByteVocabulary.ended("x"), 1))) {
      api.engine.allow(0);
      try (Socket _ = request(api, HELLO)) {
        api.engine.awaitRequests(1);
        HttpResponse<String> response = api.post(CHAT, HELLO);
        assertError(response, 429);
        assertThat(response.headers().firstValue("retry-after")).isPresent();
      }
    }
  }

  private static Socket request(TestApi api, String body) throws Exception {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), api.port());
    socket
        .getOutputStream()
        .write(
            "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s"
                .formatted(CHAT, body.length(), body)
                .getBytes(StandardCharsets.UTF_8));
    return socket;
  }

  private static void assertNotReady(HttpResponse<String> response) throws Exception {
    assertError(response, 503);
    assertThat(response.body()).contains("2 of 3 workers have joined");
    assertThat(response.headers().firstValue("retry-after")).isPresent();
  }

  private static void assertError(HttpResponse<String> response, int status) throws Exception {
    assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
    assertThat(TestApi.json(response.body()).at("/error/message").asText()).isNotEmpty();
    assertThat(response.headers().firstValue("content-type").orElse("")).contains("json");
  }
}
