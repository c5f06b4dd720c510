package dev.caravan.coordinator.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class GrafanaDashboardTest {
  private static final Pattern NAME = Pattern.compile("(?:vllm:|caravan_)[a-z0-9_]+");

  /** A panel on a metric that does not exist stays empty and nobody is told. */
  @Test
  void drawsOnlyMetricsThatAreServed() throws IOException {
    JsonNode dashboard =
        new ObjectMapper().readTree(Path.of("..", "k8s", "grafana", "caravan.json").toFile());
    Monitor monitor =
        new Monitor(
            SmallCluster.of(1, 2, true, member -> true),
            StillEngine.BUSY,
            new EngineCounts(2, 256, () -> 0));
    Set<String> served = names(monitor.metrics());
    Set<String> drawn = new TreeSet<>();
    dashboard.findValues("expr").forEach(expression -> drawn.addAll(names(expression.asText())));
    assertThat(drawn).hasSizeGreaterThan(15);
    assertThat(served).containsAll(drawn);
  }

  private static Set<String> names(String text) {
    return NAME.matcher(text).results().map(found -> found.group()).collect(Collectors.toSet());
  }
}
