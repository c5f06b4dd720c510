package dev.caravan.coordinator.text.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.caravan.model.error.ClusterException;
import java.time.LocalDateTime;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChatTemplateTest {
  private static final LocalDateTime NOW = LocalDateTime.of(2026, 7, 26, 0, 0);

  @Test
  void showsTheTemplateAllFieldsOfAMessageInTheirOrder() throws JsonProcessingException {
    String text =
        render(
            "{{ messages|tojson }}",
            "{'messages': [{'role': 'tool', 'content': {'t': 21.5}, 'name': 'w', 'x': [1]}]}");
    assertThat(text)
        .isEqualTo(
            "[{\"role\": \"tool\", \"content\": {\"t\": 21.5}, \"name\": \"w\", \"x\": [1]}]");
  }

  @Test
  void makesOneTextOfTextParts() throws JsonProcessingException {
    String input =
        "{'messages': [{'role': 'user', 'content': [{'type': 'text', 'text': 'a'},"
            + " {'type': 'text', 'text': 'b'}]}]}";
    assertThat(render("{{ messages[0].content }}", input)).isEqualTo("a\nb");
  }

  @Test
  void leavesAListThatIsNoPartsAsItIs() throws JsonProcessingException {
    String input = "{'messages': [{'role': 'tool', 'content': [1, {'a': 2}]}]}";
    assertThat(render("{{ messages[0].content|tojson }}", input)).isEqualTo("[1, {\"a\": 2}]");
  }

  @Test
  void givesToolsThatAreMissingAsNone() throws JsonProcessingException {
    assertThat(render("{{ tools is none }} {{ x is defined }}", "{'messages': []}"))
        .isEqualTo("True False");
  }

  @Test
  void givesAllOtherFieldsAsVariables() throws JsonProcessingException {
    assertThat(
            render("{{ date_string }}{{ n + 1 }}", "{'messages': [], 'date_string': 'd', 'n': 1}"))
        .isEqualTo("d2");
  }

  @Test
  void addsADefaultOnlyWhereThereIsNoVariable() throws JsonProcessingException {
    ChatInput input = input("{'messages': [], 'bos_token': 'B'}");
    assertThat(
            ChatTemplate.parse("{{ bos_token }}{{ eos_token }}")
                .render(input.withDefault("bos_token", "x").withDefault("eos_token", "E"), NOW))
        .isEqualTo("BE");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      textBlock =
          """
          {}                                                 | messages is missing
          {'messages': 1}                                    | messages is a JSON NUMBER
          {'messages': [1]}                                  | messages[0] is a JSON NUMBER
          {'messages': [{'role': 'u'}, {'content': 'a'}]}    | messages[1].role is missing
          {'messages': [{'role': 7}]}                        | messages[0].role is 7
          {'messages': [{'role': 'u', 'content': [{'type': 'text', 'text': 'a'}, {'type': 'image_url'}]}]} | messages[0].content[1] has the type "image_url"
          {'messages': [{'role': 'u', 'content': [{'type': 'text'}]}]} | messages[0].content[0].text is missing
          """)
  void namesWhatIsWrongWithAConversation(String input, String message) {
    assertThatThrownBy(() -> input(input))
        .isInstanceOf(ClusterException.class)
        .hasMessageContaining(message);
  }

  private static ChatInput input(String json) throws JsonProcessingException {
    return ChatInput.of(new ObjectMapper().readTree(json.replace('\'', '"')));
  }

  private static String render(String template, String input) throws JsonProcessingException {
    return ChatTemplate.parse(template).render(input(input), NOW);
  }
}
