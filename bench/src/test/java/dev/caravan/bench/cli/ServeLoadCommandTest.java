package dev.caravan.bench.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.bench.serve.CountingServer;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ServeLoadCommandTest {
  @TempDir Path directory;

  @Test
  void measuresAServerAndWritesThePage() throws IOException {
    Path page = directory.resolve("load.html");
    try (CountingServer server = new CountingServer(0)) {
      assertThat(execute(server, "--requests=8", "--output-tokens=3", "--html=" + page)).isZero();
    }
    assertThat(page).content().startsWith("<!doctype html>").contains("goodput/s");
  }

  @Test
  void failsIfNoRequestSucceeds() throws IOException {
    try (CountingServer server = new CountingServer(1)) {
      assertThat(execute(server, "--requests=3")).isEqualTo(3);
    }
  }

  @Test
  void refusesALoadThatIsNone() throws IOException {
    try (CountingServer server = new CountingServer(0)) {
      assertThat(execute(server, "--requests=0")).isEqualTo(2);
      assertThat(execute(server, "--rate=0")).isEqualTo(2);
      assertThat(execute(server, "--shared-prefix=1.5")).isEqualTo(2);
      assertThat(execute(server, "--prompt-tokens=many")).isEqualTo(2);
    }
  }

  private static int execute(CountingServer server, String... options) {
    String[] arguments = new String[options.length + 3];
    arguments[0] = "bench";
    arguments[1] = "serve";
    arguments[2] = "--url=" + server.url();
    System.arraycopy(options, 0, arguments, 3, options.length);
    return BenchMain.commandLine().execute(arguments);
  }
}
