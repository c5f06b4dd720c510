package dev.caravan.k8s.net;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs short commands to their end. Stateless. */
final class Shell {
  private static final long DEADLINE_SECONDS = 60;

  private Shell() {}

  /**
   * Runs a command and returns what it printed.
   *
   * @throws IOException with what it printed if it fails or takes more than a minute
   */
  static String run(List<String> command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    try {
      process.getOutputStream().close();
      String output =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      if (!process.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS)) {
        throw new IOException("still running: " + command);
      }
      if (process.exitValue() != 0) {
        throw new IOException(
            "exit code %d: %s%n%s".formatted(process.exitValue(), command, output));
      }
      return output;
    } finally {
      process.destroyForcibly();
    }
  }
}
