package dev.caravan.k8s.chart;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs what the init container runs. */
class DownloadScriptTest {
  private static final String NEEDED = "sh, curl and sha256sum are needed in /usr/bin";
  private static final String MODEL = "weights, weights, weights\n";

  @TempDir private Path directory;
  private Path source;

  @BeforeEach
  void writeSource() throws IOException {
    boolean programs =
        Stream.of("sh", "curl", "sha256sum")
            .allMatch(name -> Files.isExecutable(Path.of("/usr/bin", name)));
    if (!programs) {
      System.err.println("SKIPPED: the download of a model is not tested: " + NEEDED);
    }
    assumeTrue(programs, NEEDED);
    source = Files.writeString(directory.resolve("source"), MODEL);
  }

  @Test
  void fetchesTheModelOnceAndAgainWhenAnotherIsWanted() throws Exception {
    assertThat(run(sha256(MODEL)).exitValue()).isZero();
    assertThat(model()).hasContent(MODEL);

    Files.delete(source);
    assertThat(run(sha256(MODEL)).exitValue()).as("nothing is left to fetch").isZero();

    Files.writeString(source, "other weights");
    assertThat(run(sha256("other weights")).exitValue()).isZero();
    assertThat(model()).hasContent("other weights");
    assertThat(files()).containsExactlyInAnyOrder("model.gguf", "model.gguf.sha256");
  }

  @Test
  void goesOnWhereItWasCutOff() throws Exception {
    String part = "model.gguf." + sha256(MODEL) + ".part";
    Files.createDirectories(model().getParent());
    Files.writeString(model().resolveSibling(part), MODEL.substring(0, 7));
    Files.writeString(source, "not now" + MODEL.substring(7)); // Nobody asks for these bytes.

    assertThat(run(sha256(MODEL)).exitValue()).isZero();
    assertThat(model()).hasContent(MODEL);

    Files.delete(model());
    Files.writeString(model().resolveSibling(part), MODEL);
    Files.delete(source);
    assertThat(run(sha256(MODEL)).exitValue()).as("all of it was there").isZero();
    assertThat(model()).hasContent(MODEL);
  }

  @Test
  void beginsAnewWhereTheServerCannotContinue() throws Exception {
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    server.createContext(
        "/",
        exchange -> {
          exchange.sendResponseHeaders(200, MODEL.length());
          exchange.getResponseBody().write(MODEL.getBytes(UTF_8));
          exchange.close();
        });
    server.start();
    try {
      String part = "model.gguf." + sha256(MODEL) + ".part";
      Files.createDirectories(model().getParent());
      Files.writeString(model().resolveSibling(part), MODEL.substring(0, 7));

      String url = "http://127.0.0.1:%d/model".formatted(server.getAddress().getPort());
      assertThat(run(sha256(MODEL), url).exitValue()).isZero();
      assertThat(model()).hasContent(MODEL);
    } finally {
      server.stop(0);
    }
  }

  @Test
  void keepsNothingThatHasAnotherSum() throws Exception {
    Process process = run(sha256("something else"));

    assertThat(process.exitValue()).isEqualTo(1);
    assertThat(new String(process.getErrorStream().readAllBytes(), UTF_8))
        .contains("has another SHA-256 than " + sha256("something else"));
    assertThat(files()).isEmpty();
  }

  private Process run(String sha256) throws Exception {
    return run(sha256, source.toUri().toString());
  }

  private Process run(String sha256, String url) throws Exception {
    List<JsonNode> objects =
        Chart.render(
            "model.source=download",
            "model.download.url=https://example.com/model.gguf",
            "model.download.sha256=" + sha256);
    JsonNode container = Chart.pod(objects, "worker").at("/spec/initContainers/0");
    ProcessBuilder builder =
        new ProcessBuilder(
            Stream.concat(
                    Chart.strings(container.at("/command")).stream(),
                    Chart.strings(container.at("/args")).stream())
                .toList());
    container
        .at("/env")
        .forEach(variable ->
            builder
                .environment()
                .put(variable.at("/name").asText(), variable.at("/value").asText()));
    builder.environment().put("MODEL_URL", url);
    builder.environment().put("MODEL_FILE", model().toString());
    Process process = builder.start();
    if (!process.waitFor(60, TimeUnit.SECONDS)) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
      throw new AssertionError("the script did not end within 60 s");
    }
    return process;
  }

  private Path model() {
    return directory.resolve("models/llama/model.gguf");
  }

  private List<String> files() throws IOException {
    try (Stream<Path> files = Files.list(model().getParent())) {
      return files.map(file -> file.getFileName().toString()).toList();
    }
  }

  private static String sha256(String text) throws Exception {
    return HexFormat.of()
        .formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(UTF_8)));
  }
}
