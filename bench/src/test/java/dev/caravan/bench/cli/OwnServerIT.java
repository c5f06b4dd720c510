package dev.caravan.bench.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A load on a server that the command starts for itself. */
@Timeout(240)
class OwnServerIT {
  private static final Path DEMO =
      Path.of("../coordinator/src/main/resources/dev/caravan/coordinator/demo/caravan-demo.gguf");

  @Test
  void loadsAServerOfItsOwnAndEndsIt() throws Exception {
    assertThat(Files.exists(DEMO)).as(DEMO.toAbsolutePath().toString()).isTrue();
    PrintStream standardOutput = System.out;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    int exitCode;
    try {
      System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
      exitCode =
          BenchMain.commandLine()
              .execute(
                  "bench",
                  "serve",
                  "--model=" + DEMO,
                  "--workers=2",
                  "--threads=1",
                  "--requests=6",
                  "--concurrency=3",
                  "--prompt-tokens=20",
                  "--output-tokens=5",
                  "--format=json");
    } finally {
      System.setOut(standardOutput);
    }
    String out = printed.toString(StandardCharsets.UTF_8);
    assertThat(exitCode).as(out).isZero();
    JsonNode report = new ObjectMapper().readTree(out.lines().findFirst().orElseThrow());
    assertThat(report.at("/flags/workers").asInt()).as(out).isEqualTo(2);
    assertThat(ProcessHandle.current().descendants().filter(ProcessHandle::isAlive)).isEmpty();
  }
}
