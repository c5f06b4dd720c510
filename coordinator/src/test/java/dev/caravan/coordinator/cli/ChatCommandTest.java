package dev.caravan.coordinator.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ChatCommandTest {
  private final InputStream standardInput = System.in;
  private ScriptedServer server;

  @BeforeEach
  void start() throws IOException {
    server = new ScriptedServer();
  }

  @AfterEach
  void stop() {
    server.close();
    System.setIn(standardInput);
  }

  private CommandRun chat(String input, Object... options) {
    System.setIn(new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)));
    Object[] arguments = new Object[options.length + 3];
    arguments[0] = "chat";
    arguments[1] = "--url";
    arguments[2] = server.url();
    System.arraycopy(options, 0, arguments, 3, options.length);
    return CommandRun.of(arguments);
  }

  @Test
  void answersEachLineAndRemembersWhatWasSaid() {
    server.says("He", "llo").says("Fine");
    CommandRun run = chat("Hi\n\nHow are you?\n", "--system", "Be short", "--temperature", "0.5");
    assertThat(run.err()).isEmpty();
    assertThat(run.exitCode()).isZero();
    assertThat(run.out()).isEqualTo("Hello\nFine\n");
    JsonNode second = server.requests().get(1);
    assertThat(second.path("model").asText()).isEqualTo("tiny");
    assertThat(second.path("temperature").doubleValue()).isEqualTo(0.5);
    assertThat(second.has("top_p")).isFalse();
    assertThat(second.path("messages"))
        .extracting(
            message -> message.path("role").asText() + ": " + message.path("content").asText())
        .containsExactly("system: Be short", "user: Hi", "assistant: Hello", "user: How are you?");
  }

  @Test
  void forgetsOnResetAndEndsOnExit() {
    server.says("one").says("two");
    CommandRun run = chat("a\n/reset\n/help\nb\n/exit\nc\n");
    assertThat(run.out()).isEqualTo("one\ntwo\n");
    assertThat(run.err()).contains("/reset");
    assertThat(server.requests()).hasSize(2);
    assertThat(server.requests().get(1).path("messages")).hasSize(1);
  }

  @Test
  void printsOneObjectPerAnswerForPrograms() throws IOException {
    server.says("One", " two");
    CommandRun run = chat("Hi\n", "--format", "json");
    assertThat(run.out())
        .isEqualTo(
            "{\"content\":\"One two\",\"finish_reason\":\"stop\",\"prompt_tokens\":7,\"completion_tokens\":2}\n");
  }

  @Test
  void saysWhatTheServerSays() {
    server.refuses(400, "the prompt does not fit");
    CommandRun run = chat("Hi\n");
    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err()).contains("the server answered 400: the prompt does not fit");
    server.refuses(429, "the queue is full");
    assertThat(chat("Hi\n").exitCode()).isEqualTo(3);
  }

  @Test
  void failsIfAnAnswerBreaksOff() {
    server.answers("data: {\"choices\":[{\"delta\":{\"content\":\"He\"}}]}\n\n");
    CommandRun run = chat("Hi\n");
    assertThat(run.exitCode()).isEqualTo(3);
    assertThat(run.err()).contains("the answer failed: it ended without [DONE]");
    server.answers("data: {\"error\":{\"message\":\"worker 2 is lost\"}}\n\n");
    assertThat(chat("Hi\n").err()).contains("the answer failed: worker 2 is lost");
  }

  @Test
  void saysThatNothingRunsThere() {
    String url = server.url();
    server.close();
    CommandRun run = CommandRun.of("chat", "--url", url);
    assertThat(run.exitCode()).isEqualTo(3);
    assertThat(run.err()).contains(url).contains("is caravan serve running there?");
    CommandRun.of("chat", "--url", "nonsense").assertRefused("is no address of a server");
  }

  @Test
  void refusesOptionsOfTwoServers(@TempDir Path directory) throws IOException {
    Path model = SmallModels.withVocabulary(directory.resolve("model.gguf"));
    CommandRun.of("chat", "--model", model, "--url", server.url())
        .assertRefused("--url means a server that runs", "--model");
    CommandRun.of("chat", "--model", model, "--api-key-file", model)
        .assertRefused("--api-key-file means a server that runs");
    chat("", "--workers", 3)
        .assertRefused("--workers is for a server of this command's own", "--model");
    chat("", "--chat-template", model).assertRefused("--chat-template is for");
    CommandRun.of("chat", "--model", model).assertRefused("no chat template", "--chat-template");
  }
}
