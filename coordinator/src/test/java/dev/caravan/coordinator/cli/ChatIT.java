package dev.caravan.coordinator.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A chat with a model that the command serves to itself. */
@Timeout(240)
class ChatIT {
  @TempDir Path directory;
  private final InputStream standardInput = System.in;

  @AfterEach
  void restore() {
    System.setIn(standardInput);
  }

  @Test
  void answersWithAModelOfItsOwnAndLeavesNoWorkerBehind() throws Exception {
    Path template =
        Files.writeString(
            directory.resolve("template.jinja"),
            "{% for m in messages %}{{ m.content }}{% endfor %}");
    System.setIn(
        new ByteArrayInputStream("Once upon a time\nThe\n".getBytes(StandardCharsets.UTF_8)));
    CommandRun run;
    try (DemoModel model = DemoModel.write()) {
      run =
          CommandRun.of(
              "chat",
              "--model",
              model.file(),
              "--chat-template",
              template,
              "--workers",
              2,
              "--threads",
              1,
              "--max-tokens",
              6,
              "--temperature",
              0,
              "--format",
              "json");
    }
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.err()).doesNotContain("output_tokens=");
    String[] lines = run.out().split("\n");
    assertThat(lines).hasSize(2);
    JsonNode first = new ObjectMapper().readTree(lines[0]);
    assertThat(first.path("completion_tokens").asInt()).isEqualTo(6);
    assertThat(first.path("content").asText()).startsWith(", there was");
    assertThat(ProcessHandle.current().descendants().filter(ProcessHandle::isAlive)).isEmpty();
  }
}
