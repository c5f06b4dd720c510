package dev.caravan.k8s.chart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.marcnuri.helm.Helm;
import com.marcnuri.helm.LintResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ChartRenderTest {

  @Test
  void passesStrictLint() {
    LintResult result = new Helm(Chart.DIRECTORY).lint().strict().call();

    assertThat(result.isFailed()).as("%s", result.getMessages()).isFalse();
    assertThat(result.getMessages()).allMatch(message -> message.startsWith("[INFO]"));
  }

  static Stream<Arguments> modesAndExamples() {
    return Chart.MODES.stream()
        .flatMap(mode -> Chart.examples().stream().map(values -> Arguments.of(mode, values)));
  }

  @ParameterizedTest
  @MethodSource("modesAndExamples")
  void rendersEveryExampleInBothModesWithoutUnknownFields(String mode, Path values) {
    List<JsonNode> objects = Chart.render(values, "mode=" + mode);

    assertThat(Chart.pods(objects)).hasSize(2);
    objects.forEach(StrictObjects::parse);
    References.check(objects);
  }

  @ParameterizedTest
  @ValueSource(strings = {"statefulset", "leaderworkerset"})
  void rendersEveryOptionWithoutUnknownFields(String mode) {
    List<JsonNode> objects =
        Chart.render(Path.of("src/test/values/everything.yaml"), "mode=" + mode);

    objects.forEach(StrictObjects::parse);
    References.check(objects);
    assertThat(objects)
        .extracting(object -> object.at("/kind").asText())
        .contains(
            "Ingress",
            "HTTPRoute",
            "ServiceMonitor",
            "ConfigMap",
            "NetworkPolicy",
            "PodDisruptionBudget");
  }

  @Test
  void rendersTheScalingOfGroups() {
    List<JsonNode> objects =
        Chart.render(
            "mode=leaderworkerset",
            "autoscaling.enabled=true",
            "autoscaling.prometheus=http://prometheus:9090");

    objects.forEach(StrictObjects::parse);
    JsonNode group = Chart.find(objects, "LeaderWorkerSet", "-group");
    JsonNode scaled = Chart.find(objects, "ScaledObject", "");
    assertThat(scaled.at("/spec/scaleTargetRef/name")).isEqualTo(group.at("/metadata/name"));
    assertThat(group.at("/spec/replicas").isMissingNode())
        .as("an upgrade would undo what the autoscaler decided")
        .isTrue();
  }

  @Test
  void scalesByAMetricThatTheDashboardShowsToo() throws Exception {
    JsonNode scaled =
        Chart.find(
            Chart.render(
                "mode=leaderworkerset",
                "autoscaling.enabled=true",
                "autoscaling.prometheus=http://prometheus:9090"),
            "ScaledObject",
            "");
    String query = scaled.at("/spec/triggers/0/metadata/query").asText();

    assertThat(query).matches("sum\\([a-z:_]+\\{namespace=\"caravan\",service=\"caravan\"}\\)");
    // The coordinator's tests compare the dashboard with the metrics.
    assertThat(Files.readString(Path.of("grafana", "caravan.json")))
        .contains(query.substring("sum(".length(), query.indexOf('{')) + "{");
  }

  @Test
  void leavesOutWhatIsSwitchedOff() {
    List<JsonNode> objects =
        Chart.render("networkPolicy.enabled=false", "podDisruptionBudget.enabled=false");

    assertThat(objects)
        .extracting(object -> object.at("/kind").asText())
        .containsOnly("Service", "StatefulSet");
  }

  @Test
  void showsTheDashboardThatIsBesideTheChart() throws Exception {
    JsonNode dashboard =
        Chart.find(Chart.render("dashboard.enabled=true"), "ConfigMap", "-dashboard");

    assertThat(dashboard.at("/data/caravan.json").asText())
        .isEqualTo(Files.readString(Path.of("grafana", "caravan.json")));
  }

  @Test
  void aFieldThatAKindDoesNotHaveIsFound() {
    String yaml = Chart.text("mode=leaderworkerset");

    assertThatThrownBy(() -> parseAll(yaml.replace("readOnlyRootFilesystem:", "readOnlyRoot:")))
        .hasMessageContaining("readOnlyRoot");
    assertThatThrownBy(() -> parseAll(yaml.replace("startupPolicy:", "startPolicy:")))
        .hasMessageContaining("startPolicy");
    assertThatThrownBy(() -> parseAll(yaml.replace("LeaderCreated", "LeaderMade")))
        .hasMessageContaining("LeaderMade");
  }

  private static void parseAll(String yaml) {
    Chart.parse(yaml).forEach(StrictObjects::parse);
  }
}
