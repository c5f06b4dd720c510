package dev.caravan.k8s.chart;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** The manifests for those without Helm. -Dcaravan.manifests=write renders them anew. */
class ManifestsTest {
  private static final List<String> MODES = Chart.MODES;
  private static final Path EXAMPLE = Chart.DIRECTORY.resolve("examples/llama-3.1-8b-2-nodes.yaml");

  @ParameterizedTest
  @FieldSource("MODES")
  void theCommittedManifestsAreWhatTheChartRenders(String mode) throws IOException {
    Path file = Path.of("manifests", mode + ".yaml");
    String rendered =
        "# Llama 3.1 8B on two nodes, mode %s: rendered from ../chart, see ../README.md. Not to be edited by hand.%n"
                .formatted(mode)
            + Chart.text(EXAMPLE, "mode=" + mode).strip()
            + "\n";
    if ("write".equals(System.getProperty("caravan.manifests"))) {
      Files.createDirectories(file.getParent());
      Files.writeString(file, rendered);
    }

    assertThat(file).hasContent(rendered);
    Chart.parse(Files.readString(file)).forEach(StrictObjects::parse);
  }
}
