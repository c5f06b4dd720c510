package dev.caravan.coordinator.text.chat;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.caravan.coordinator.text.ReferenceFiles;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The chat templates of the Llama models against Python's jinja2. */
class ChatTemplateReferenceTest {
  @TestFactory
  Stream<DynamicTest> rendersAsPython() throws IOException {
    Path directory = ReferenceFiles.directory(getClass()).resolve("templates");
    JsonNode cases = new ObjectMapper().readTree(directory.resolve("golden.json").toFile());
    assertThat(cases).hasSizeGreaterThanOrEqualTo(50);
    return StreamSupport.stream(cases.spliterator(), false)
        .map(golden ->
            DynamicTest.dynamicTest(
                golden.path("template").textValue() + ": " + golden.path("case").textValue(),
                () -> check(directory, golden)));
  }

  private static void check(Path directory, JsonNode golden) throws IOException {
    String source = Files.readString(directory.resolve(golden.path("template").textValue()));
    ObjectNode input = golden.path("input").deepCopy();
    input.set("bos_token", golden.path("bos_token"));
    input.set("eos_token", golden.path("eos_token"));
    String text;
    try {
      text =
          ChatTemplate.parse(source)
              .render(
                  ChatInput.of(input),
                  LocalDate.parse(golden.path("today").textValue()).atStartOfDay());
    } catch (ClusterException e) {
      assertThat(e.code()).isEqualTo(ErrorCode.INVALID_REQUEST);
      assertThat(e).hasMessage(golden.path("error").textValue());
      return;
    }
    assertThat(text).isEqualTo(golden.path("text").textValue());
  }
}
