package dev.caravan.coordinator.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A command run in this JVM, with its output captured. Redirects the JVM's standard streams, so
 * tests that use it do not run side by side.
 */
record CommandRun(int exitCode, String out, String err) {
  private static final ObjectMapper JSON = new ObjectMapper();

  static CommandRun of(Object... arguments) {
    String[] texts = new String[arguments.length];
    for (int i = 0; i < arguments.length; i++) {
      texts[i] = arguments[i].toString();
    }
    PrintStream out = System.out;
    PrintStream err = System.err;
    ByteArrayOutputStream capturedOut = new ByteArrayOutputStream();
    ByteArrayOutputStream capturedErr = new ByteArrayOutputStream();
    try {
      System.setOut(new PrintStream(capturedOut, true, StandardCharsets.UTF_8));
      System.setErr(new PrintStream(capturedErr, true, StandardCharsets.UTF_8));
      int exitCode = Main.commandLine().execute(texts);
      return new CommandRun(
          exitCode,
          capturedOut.toString(StandardCharsets.UTF_8),
          capturedErr.toString(StandardCharsets.UTF_8));
    } finally {
      System.setOut(out);
      System.setErr(err);
    }
  }

  /** Runs a command that has to succeed and reads its standard output, all of it, as JSON lines. */
  static List<JsonNode> json(Object... arguments) throws IOException {
    CommandRun run = of(arguments);
    assertThat(run.exitCode).as(run.err).isZero();
    List<JsonNode> lines = new ArrayList<>();
    for (String line : run.out.lines().toList()) {
      lines.add(JSON.readTree(line));
    }
    return lines;
  }

  /** Checks that bad input ended the command: exit code 2, one line that says why, no output. */
  void assertRefused(String... parts) {
    assertThat(err.lines().toList()).hasSize(1);
    assertThat(err).startsWith("caravan").contains(parts);
    assertThat(exitCode).as(err).isEqualTo(2);
    assertThat(out).isEmpty();
  }
}
