package dev.caravan.coordinator.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Completions, and text without generating. */
@Timeout(60)
final class CompletionApiTest {
  private static final String PATH = "/v1/completions";
  private static TestApi api;

  @BeforeAll
  static void start() {
    api = TestApi.answering(" cü");
  }

  @AfterAll
  static void stop() throws InterruptedException {
    api.close();
  }

  @Test
  void promptsAreTextsIdsOrListsOfThem() throws Exception {
    assertThat(texts("'ab'")).containsExactly(" cü");
    assertThat(texts("['ab','b']")).containsExactly(" cü", " cü");
    assertThat(texts("[97,98]")).containsExactly(" cü");
    assertThat(texts("[[97,98],[99]]")).containsExactly(" cü", " cü");
  }

  @Test
  void textsGetTheBeginTokenAndIdsDoNot() throws Exception {
    texts("'ab'");
    assertThat(api.engine.requests().getLast().prompt()).containsExactly(256, 97, 98);
    texts("[97,98]");
    assertThat(api.engine.requests().getLast().prompt()).containsExactly(97, 98);
  }

  @Test
  void echoedPromptIsScoredFromItsSecondToken() throws Exception {
    JsonNode choice =
        api.answer(PATH, "{'prompt':[97,195,188],'echo':true,'logprobs':1,'max_tokens':2,'seed':1}")
            .at("/choices/0");
    assertThat(choice.get("text").textValue()).isEqualTo("aü c");
    assertThat(choice.get("finish_reason").textValue()).isEqualTo("length");
    assertThat(choice.get("logprobs").toString())
        .isEqualTo(
            """
            {"tokens":["a","bytes:\\\\xc3","bytes:\\\\xbc"," ","c"],\
            "token_logprobs":[null,-195.0,-188.0,-32.0,-99.0],\
            "top_logprobs":[null,{"bytes:\\\\xc3":-195.0},{"bytes:\\\\xbc":-188.0},\
            {" ":-32.0},{"c":-99.0}],"text_offset":[0,1,1,2,3]}\
            """);
  }

  @Test
  void zeroTokensOnlyScoreThePrompt() throws Exception {
    JsonNode choice =
        api.answer(PATH, "{'prompt':'ab','echo':true,'logprobs':2,'max_tokens':0}")
            .at("/choices/0");
    assertThat(choice.get("text").textValue()).isEqualTo("ab");
    assertThat(choice.at("/logprobs/tokens").toString()).isEqualTo("[\"<|begin|>\",\"a\",\"b\"]");
    assertThat(choice.at("/logprobs/top_logprobs/1").toString())
        .isEqualTo("{\"a\":-97.0,\"`\":-96.0}");
  }

  @Test
  void streamEchoesThePromptFirst() throws Exception {
    List<String> events = api.events(PATH, "{'prompt':'ab','echo':true,'stream':true}");
    assertThat(events.getLast()).isEqualTo("[DONE]");
    StringBuilder text = new StringBuilder();
    for (String event : events.subList(0, events.size() - 1)) {
      text.append(TestApi.json(event).at("/choices/0/text").textValue());
    }
    assertThat(text.toString()).isEqualTo("ab cü");
  }

  @Test
  void sixteenTokensUnlessToldOtherwise() throws Exception {
    texts("'ab'");
    assertThat(api.engine.requests().getLast().maxTokens()).isEqualTo(16);
  }

  @Test
  void tokenizesAndDetokenizesAsVllmDoes() throws Exception {
    assertThat(api.answer("/tokenize", "{'prompt':'aü'}").toString())
        .isEqualTo(
            "{\"count\":4,\"max_model_len\":1000,\"tokens\":[256,97,195,188],\"token_strs\":null}");
    assertThat(api.answer("/tokenize", "{'prompt':'a','add_special_tokens':false}").get("tokens"))
        .hasToString("[97]");
    assertThat(api.answer("/detokenize", "{'tokens':[256,97,195,188]}").toString())
        .isEqualTo("{\"prompt\":\"aü\"}");
    assertThat(api.post("/detokenize", "{\"tokens\":[258]}").statusCode()).isEqualTo(400);
  }

  @Test
  void appliesTheChatTemplateAsLlamaCppDoes() throws Exception {
    String messages = "'messages':[{'role':'developer','content':[{'type':'text','text':'be'}]}]";
    assertThat(api.answer("/apply-template", "{%s}".formatted(messages)).toString())
        .isEqualTo("{\"prompt\":\"[system] be\\n[assistant]\"}");
    assertThat(
            api.answer("/tokenize", "{%s,'add_generation_prompt':false}".formatted(messages))
                .get("count")
                .intValue())
        .isEqualTo(13);
  }

  private static List<String> texts(String prompt) throws Exception {
    JsonNode answer = api.answer(PATH, "{'prompt':%s}".formatted(prompt));
    return answer.get("choices").valueStream().map(each -> each.get("text").textValue()).toList();
  }
}
