package dev.caravan.k8s.chart;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The commands of the README's quick start, as far as they can be followed without a cluster. */
class QuickStartTest {
  private static final Pattern INSTALL =
      Pattern.compile(
          "helm install (\\S+) k8s/chart --namespace (\\S+) --create-namespace -f k8s/(\\S+) --set (\\S+)");
  private static final Pattern KIND_AND_NAME =
      Pattern.compile("\\b(statefulset|service)/([a-z0-9-]+)");

  @Test
  void isAtMostSixCommandsAndNamesWhatTheChartMakes() throws IOException {
    List<String> commands = commands();
    assertThat(commands).hasSizeBetween(1, 6);
    String all = String.join("\n", commands);
    Matcher install = INSTALL.matcher(all);
    assertThat(install.find()).isTrue();
    assertThat(install.group(1)).isEqualTo(Chart.RELEASE);
    assertThat(install.group(2)).isEqualTo(Chart.RELEASE);

    List<JsonNode> objects =
        Chart.render(
            Path.of(install.group(3)),
            install
                .group(4)
                .replace("URL", "https://example.com/model.gguf")
                .replace("SHA256", "0".repeat(64))
                .split(","));

    objects.forEach(StrictObjects::parse);
    assertThat(Chart.container(objects, "worker").at("/image").asText())
        .as("what was built before")
        .isSubstringOf(all);
    List<MatchResult> names = KIND_AND_NAME.matcher(all).results().toList();
    assertThat(names)
        .hasSize(2)
        .allSatisfy(name ->
            assertThat(objects)
                .anyMatch(object ->
                    object.at("/kind").asText().equalsIgnoreCase(name.group(1))
                        && object.at("/metadata/name").asText().equals(name.group(2))));
    assertThat(Chart.find(objects, "Service", Chart.RELEASE).at("/spec/ports/0/port").asInt())
        .isEqualTo(8080);
    assertThat(all).contains("port-forward service/caravan 8080:8080");
  }

  private static List<String> commands() throws IOException {
    String readme = Files.readString(Path.of("README.md"));
    int start = readme.indexOf("```\n", readme.indexOf("## Quick start")) + 4;
    return readme.substring(start, readme.indexOf("\n```", start)).lines().toList();
  }
}
