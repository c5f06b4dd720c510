package dev.caravan.coordinator.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Chats over HTTP, whole and in parts. */
@Timeout(60)
final class ChatApiTest {
  private static final String PATH = "/v1/chat/completions";

  @Test
  void wholeAnswerHasOpenAisShape() throws Exception {
    try (TestApi api = TestApi.answering("Hello ü!")) {
      JsonNode answer = api.answer(PATH, "{'messages':[{'role':'user','content':'hi'}]}");
      assertThat(answer.get("object").textValue()).isEqualTo("chat.completion");
      assertThat(answer.get("id").textValue()).startsWith("chatcmpl-");
      assertThat(answer.get("model").textValue()).isEqualTo(TestApi.MODEL);
      assertThat(answer.get("choices").toString())
          .isEqualTo(
              """
              [{"index":0,"message":{"role":"assistant","content":"Hello ü!","refusal":null},\
              "logprobs":null,"finish_reason":"stop"}]\
              """);
      // Begin token, "[user] hi\\n[assistant]"; nine bytes and the end token.
      assertThat(answer.get("usage").toString())
          .isEqualTo(
              """
              {"prompt_tokens":22,"completion_tokens":10,"total_tokens":32,\
              "prompt_tokens_details":{"cached_tokens":3}}\
              """);
    }
  }

  @Test
  void streamBeginsWithTheRoleAndEndsWithDone() throws Exception {
    try (TestApi api = TestApi.answering("aü")) {
      List<String> events =
          api.events(
              PATH,
              "{'messages':[{'role':'user','content':'hi'}],'stream':true,"
                  + "'stream_options':{'include_usage':true}}");
      assertThat(events.getLast()).isEqualTo("[DONE]");
      List<JsonNode> chunks = new ArrayList<>();
      for (String event : events.subList(0, events.size() - 1)) {
        chunks.add(TestApi.json(event));
      }
      assertThat(chunks.stream().map(chunk -> chunk.get("id").textValue()).distinct()).hasSize(1);
      assertThat(chunks.stream().map(chunk -> chunk.get("choices").toString()))
          .containsExactly(
              choice("{\"role\":\"assistant\",\"content\":\"\"}", "null"),
              choice("{\"content\":\"a\"}", "null"),
              choice("{\"content\":\"ü\"}", "null"),
              choice("{}", "\"stop\""),
              "[]");
      assertThat(chunks.getFirst().get("usage").isNull()).isTrue();
      assertThat(chunks.getLast().get("usage").get("completion_tokens").intValue()).isEqualTo(4);
    }
  }

  @Test
  void stopTextEndsTheAnswerAndNoPartOfItIsShown() throws Exception {
    try (TestApi api = TestApi.answering("one STOPS here")) {
      List<String> events =
          api.events(
              PATH,
              "{'messages':[{'role':'user','content':'hi'}],'stream':true,'stop':['STOP','x']}");
      StringBuilder text = new StringBuilder();
      for (String event : events.subList(0, events.size() - 1)) {
        text.append(TestApi.json(event).at("/choices/0/delta/content").asText());
      }
      assertThat(text.toString()).isEqualTo("one ");
      assertThat(events.get(events.size() - 2)).contains("\"finish_reason\":\"stop\"");
    }
  }

  @Test
  void severalChoicesHaveConsecutiveSeeds() throws Exception {
    try (TestApi api = TestApi.answering("x")) {
      JsonNode answer =
          api.answer(PATH, "{'messages':[{'role':'user','content':'hi'}],'n':3,'seed':7}");
      assertThat(answer.get("choices")).hasSize(3);
      assertThat(answer.at("/usage/prompt_tokens").intValue()).isEqualTo(22);
      assertThat(answer.at("/usage/completion_tokens").intValue()).isEqualTo(6);
      assertThat(api.engine.requests().stream().map(request -> request.sampling().seed()))
          .containsExactly(7L, 8L, 9L);
    }
  }

  private static String choice(String delta, String finishReason) {
    return "[{\"index\":0,\"delta\":%s,\"logprobs\":null,\"finish_reason\":%s}]"
        .formatted(delta, finishReason);
  }
}
