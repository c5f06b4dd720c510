package dev.caravan.coordinator.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.caravan.coordinator.generate.EngineRequest;
import dev.caravan.coordinator.sample.LogitAdjustments;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Chats over HTTP, whole and in parts. */
@Timeout(60)
final class ChatApiTest {
  private static final String TOOLS =
      "'tools':[{'type':'function','function':{'name':'paint','parameters':"
          + "{'type':'object','properties':{'n':{'type':'integer'}},'required':['n']}}}]";

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

  @Test
  void toolCallsAreStreamedAsTheyAreWritten() throws Exception {
    try (TestApi api = TestApi.answering("{\"name\": \"paint\", \"parameters\": {\"n\": 1}}")) {
      String request = "{'messages':[{'role':'user','content':'hi'}],%s%s}";
      JsonNode whole = api.answer(PATH, request.formatted(TOOLS, "")).at("/choices/0");
      assertThat(whole.get("finish_reason").textValue()).isEqualTo("tool_calls");
      assertThat(whole.at("/message/content").isNull()).isTrue();
      assertThat(whole.at("/message/tool_calls/0/function").toString())
          .isEqualTo("{\"name\":\"paint\",\"arguments\":\"{\\\"n\\\": 1}\"}");
      StringBuilder arguments = new StringBuilder();
      String name = "";
      List<String> events = api.events(PATH, request.formatted(TOOLS, ",'stream':true"));
      for (String event : events.subList(0, events.size() - 1)) {
        JsonNode call = TestApi.json(event).at("/choices/0/delta/tool_calls/0");
        name += call.at("/function/name").asText();
        arguments.append(call.at("/function/arguments").asText());
      }
      assertThat(name).isEqualTo("paint");
      assertThat(arguments.toString()).isEqualTo("{\"n\": 1}");
      assertThat(events.get(events.size() - 2)).contains("\"finish_reason\":\"tool_calls\"");
      assertThat(api.engine.requests().getLast().constraint()).isPresent();
    }
  }

  @Test
  void formsPenaltiesAndBiasesReachTheEngine() throws Exception {
    try (TestApi api = TestApi.answering("{}")) {
      api.answer(
          PATH,
          "{'messages':[{'role':'user','content':'hi'}],'response_format':{'type':'json_object'},"
              + "'presence_penalty':0.5,'frequency_penalty':-1,'logit_bias':{'97':-100}}");
      EngineRequest request = api.engine.requests().getLast();
      assertThat(request.constraint()).isPresent();
      assertThat(request.sampling().adjustments())
          .isEqualTo(new LogitAdjustments(0.5, -1, Map.of(97, -100.0)));
    }
  }

  @Test
  void refusedFormsNameTheirField() throws Exception {
    try (TestApi api = TestApi.answering("x")) {
      Map<String, String> fields =
          Map.of(
              "'response_format':{'type':'xml'}", "response_format",
              "'response_format':{'type':'json_schema'}", "response_format",
              "'tools':[{'type':'robot'}]", "tools",
              "'tool_choice':'required'", "tool_choice",
              "'logit_bias':{'x':1}", "logit_bias",
              "'presence_penalty':3", "presence_penalty");
      for (Map.Entry<String, String> field : fields.entrySet()) {
        String body = "{'messages':[{'role':'user','content':'hi'}],%s}".formatted(field.getKey());
        String error = api.post(PATH, body.replace('\'', '"')).body();
        assertThat(TestApi.json(error).at("/error/param").asText())
            .as(field.getKey() + error)
            .isEqualTo(field.getValue());
      }
    }
  }

  private static String choice(String delta, String finishReason) {
    return "[{\"index\":0,\"delta\":%s,\"logprobs\":null,\"finish_reason\":%s}]"
        .formatted(delta, finishReason);
  }
}
