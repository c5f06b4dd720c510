package dev.caravan.coordinator.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ApplyTemplateCommandTest {
  private static final String TEMPLATE =
      """
      {%- if not messages %}{{ raise_exception('no messages') }}{% endif -%}
      {{ bos_token }}{{ strftime_now('%d %b %Y') }}
      {%- for m in messages %}|{{ m.role }}: {{ m.content }}{{ eos_token }}{% endfor %}
      """;

  @TempDir Path directory;

  @Test
  void answersOneLineForEachCase() throws IOException {
    Path input =
        input(
            """
            [{"messages": [{"role": "user", "content": "é"}], "bos_token": "B", "eos_token": "E",
            "today": "2026-07-26"}, {"messages": []}, {"messages": [], "today": "tomorrow"}, 3]
            """);
    Path template = Files.writeString(directory.resolve("chat.jinja"), TEMPLATE);
    assertThat(
            CommandRun.json(
                "apply-template",
                "--template",
                template,
                "--input-file",
                input,
                "--format",
                "json"))
        .extracting(JsonNode::toString)
        .containsExactly(
            "{\"case\":0,\"text\":\"B26 Jul 2026|user: éE\"}",
            "{\"case\":1,\"error\":\"no messages\"}",
            "{\"case\":2,\"error\":\"today is \\\"tomorrow\\\"; give a date such as \\\"2026-07-26\\\"\"}",
            "{\"case\":3,\"error\":\"the case is a JSON NUMBER, not an object\"}");
  }

  @Test
  void takesTemplateAndSpecialTokensOfAModel() throws IOException {
    Path model = SmallModels.withChatTemplate(directory.resolve("chat.gguf"), TEMPLATE);
    String messages = "\"messages\": [{\"role\": \"user\", \"content\": \"a\"}]";
    Path input =
        input(
            "[{%s, \"today\": \"2026-07-06\"}, {%s, \"today\": \"2026-07-06\", \"eos_token\": \"\"}]"
                .formatted(messages, messages));
    assertThat(
            CommandRun.json(
                "apply-template", "--model", model, "--input-file", input, "--format", "json"))
        .extracting(line -> line.path("text").textValue())
        .containsExactly("<s>06 Jul 2026|user: a</s>", "<s>06 Jul 2026|user: a");
  }

  @Test
  void refusesAModelWithoutATemplate() throws IOException {
    Path model = SmallModels.withVocabulary(directory.resolve("plain.gguf"));
    CommandRun.of("apply-template", "--model", model, "--input-file", input("[]"))
        .assertRefused("plain.gguf", "no chat template", "--template");
  }

  @Test
  void refusesATemplateThatItCannotReadWithTheLine() throws IOException {
    Path template = Files.writeString(directory.resolve("bad.jinja"), "a\n{% if %}");
    CommandRun.of("apply-template", "--template", template, "--input-file", input("[]"))
        .assertRefused("line 2", "a value");
  }

  @Test
  void refusesInputThatIsNoArray() throws IOException {
    Path template = Files.writeString(directory.resolve("good.jinja"), "a");
    CommandRun.of("apply-template", "--template", template, "--input-file", input("{}"))
        .assertRefused("input.json", "not an array");
    CommandRun.of("apply-template", "--template", template, "--input-file", input("[1,\n]"))
        .assertRefused("input.json", "not JSON", "line 2");
  }

  private Path input(String json) throws IOException {
    return Files.writeString(directory.resolve("input.json"), json);
  }
}
