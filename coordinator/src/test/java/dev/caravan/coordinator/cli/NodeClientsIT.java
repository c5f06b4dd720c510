package dev.caravan.coordinator.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The official JavaScript clients, unchanged, against a cluster of worker JVMs. */
@Timeout(400)
class NodeClientsIT {
  private static final Path PROJECT = Path.of("src/test/node");
  private static final int CHECKS = 7;

  @TempDir Path directory;

  @Test
  void allChecksPass() throws Exception {
    for (String file : List.of("package.json", "package-lock.json", "clients.mjs")) {
      Files.copy(PROJECT.resolve(file), directory.resolve(file));
    }
    install();
    try (ServedDemo served = ServedDemo.start(directory)) {
      Path node = directory.resolve("node_modules/.bin/node");
      String output =
          run(
              List.of(
                  node.toString(),
                  "clients.mjs",
                  served.address() + "/v1",
                  ServedDemo.KEY,
                  served.id()),
              120);
      assertThat(output.lines().filter(line -> line.startsWith("passed ")))
          .as(output)
          .hasSize(CHECKS);
    }
  }

  private void install() throws InterruptedException {
    String why;
    try {
      String output = run(List.of("npm", "ci", "--prefer-offline", "--no-audit", "--no-fund"), 180);
      if (Files.exists(directory.resolve("node_modules/.bin/node"))) {
        return;
      }
      why = "npm could not install the clients: " + output;
    } catch (IOException e) {
      why = "there is no npm: " + e.getMessage();
    }
    System.err.println("SKIPPED: the JavaScript clients were not tested: " + why);
    abort(why);
  }

  /** Returns what the process printed. */
  private String run(List<String> command, int seconds) throws IOException, InterruptedException {
    Path output = directory.resolve("output.txt");
    Process process =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      assertThat(process.waitFor(seconds, TimeUnit.SECONDS)).as("%s ends", command).isTrue();
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
    return Files.readString(output, StandardCharsets.UTF_8);
  }
}
