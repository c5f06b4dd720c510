package dev.caravan.bench.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.model.error.ClusterException;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BenchMainTest {
  @TempDir Path directory;

  @Test
  void helpListsTheCommandsOfAllModules() {
    StringWriter help = new StringWriter();
    BenchMain.commandLine().usage(new PrintWriter(help));
    assertThat(help.toString()).contains("generate", "plan", "bench", "synth");
  }

  @Test
  void synthWritesOneCompleteFile() throws IOException {
    Path file = directory.resolve("model.gguf");
    assertThat(synth(file, "--type", "q4_0")).isZero();
    try (Stream<Path> files = Files.list(directory)) {
      assertThat(files).containsExactly(file);
    }
  }

  @Test
  void synthLeavesAnExistingFileAlone() throws IOException {
    Path file = Files.writeString(directory.resolve("model.gguf"), "mine");
    assertThat(synth(file, "--type", "q4_0")).isEqualTo(2);
    assertThat(file).hasContent("mine");
  }

  @ParameterizedTest
  @ValueSource(strings = {"--type=q5_k", "--type=q9", "--vocab=12", "--layers=0"})
  void synthRefusesWhatItCannotWriteAndWritesNothing(String option) throws IOException {
    Path file = directory.resolve("model.gguf");
    assertThat(synth(file, option)).isEqualTo(2);
    try (Stream<Path> files = Files.list(directory)) {
      assertThat(files).isEmpty();
    }
  }

  @Test
  void synthSaysWhenTheDiskIsTooSmallBeforeItWrites() throws IOException {
    Path file = directory.resolve("model.gguf");
    int exit =
        execute(
            "synth", "--geometry=llama-3.1-405b", "--layers=4096", "--type=f32", "--out=" + file);
    assertThat(exit).isEqualTo(2);
    assertThat(file).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(strings = {"--kv=q4", "--contexts=63", "--rows=0", "--repeat=0", "--threads=0"})
  void attentionRefusesWhatItCannotMeasure(String option) {
    assertThat(execute("bench", "attention", option)).isEqualTo(2);
  }

  @Test
  void jmhFindsTheBenchmarks() throws IOException {
    try (InputStream list = JmhCommand.class.getResourceAsStream("/META-INF/BenchmarkList")) {
      assertThat(list).isNotNull();
      assertThat(new String(list.readAllBytes(), StandardCharsets.UTF_8))
          .contains("KernelBenchmark", "product", "attention");
    }
    assertThat(execute("bench", "jmh", "-l")).isZero();
  }

  @Test
  void sizesAreReadWithAndWithoutUnits() {
    assertThat(AllReduceCommand.bytes("4096")).isEqualTo(4096);
    assertThat(AllReduceCommand.bytes("8k")).isEqualTo(8192);
    assertThat(AllReduceCommand.bytes("2M")).isEqualTo(2 << 20);
    for (String wrong : new String[] {"", "k", "5", "-4k", "5m", "99999999999999999k"}) {
      assertThatThrownBy(() -> AllReduceCommand.bytes(wrong))
          .isInstanceOf(ClusterException.class)
          .hasMessageContaining("--sizes");
    }
  }

  @Test
  void threadCountsAreAllOnASmallMachineAndPowersOfTwoOnALargeOne() {
    assertThat(BandwidthCommand.counts(3)).containsExactly(1, 2, 3);
    assertThat(BandwidthCommand.counts(48)).containsExactly(1, 2, 4, 8, 16, 32, 48);
  }

  private int synth(Path file, String... more) {
    String[] arguments =
        Stream.concat(
                Stream.of("synth", "--geometry=llama-3.2-1b", "--out=" + file), Stream.of(more))
            .toArray(String[]::new);
    return execute(withDefaults(arguments));
  }

  private static String[] withDefaults(String[] arguments) {
    Stream<String> given = Stream.of(arguments);
    String all = String.join(" ", arguments);
    for (String option : new String[] {"--layers=1", "--vocab=600", "--type=q4_0"}) {
      String name = option.substring(0, option.indexOf('='));
      given = all.contains(name) ? given : Stream.concat(given, Stream.of(option));
    }
    return given.toArray(String[]::new);
  }

  private static int execute(String... arguments) {
    return BenchMain.commandLine().execute(arguments);
  }
}
