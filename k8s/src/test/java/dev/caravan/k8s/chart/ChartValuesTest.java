package dev.caravan.k8s.chart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChartValuesTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      textBlock =
          """
          mode=deployment              | at '/mode': value must be one of 'statefulset', 'leaderworkerset'
          groups=0                     | at '/groups': minimum: got 0, want 1
          worker.threads=4             | at '/worker': additional properties 'threads' not allowed
          workers=4                    | at '': additional properties 'workers' not allowed
          model.source=pvc             | at '/model/source': value must be one of 'claim', 'hostPath', 'download'
          model.file=../other          | at '/model/file': '../other' does not match pattern
          model.download.sha256=abc    | at '/model/download/sha256': 'abc' does not match pattern '^([0-9a-f]{64})?$'
          model.download.url=ftp://x   | at '/model/download/url': 'ftp://x' does not match pattern
          model.hostPath.path=models   | at '/model/hostPath/path': 'models' does not match pattern '^/.+'
          cluster.ranks=0              | at '/cluster/ranks': minimum: got 0, want 1
          cluster.kv=bf16              | at '/cluster/kv': value must be one of 'f16', 'f32', 'q8'
          cluster.sync=f16             | at '/cluster/sync': value must be one of 'f32', 'bf16', 'q8'
          serve.requestTimeoutSeconds=0| at '/serve/requestTimeoutSeconds': minimum: got 0, want 1
          worker.cpu=0.5               | at '/worker/cpu': got string, want integer
          worker.memory=16G            | at '/worker/memory': '16G' does not match pattern '^[1-9][0-9]*(Ki|Mi|Gi|Ti)$'
          worker.javaOptions=1         | at '/worker/javaOptions': got number, want string
          worker.hugePages.mode=yes    | at '/worker/hugePages/mode': value must be one of 'none', 'transparent', 'reserved'
          placement.zone=hard          | at '/placement/zone': value must be one of 'required', 'preferred', 'any'
          fullnameOverride=My_Llama    | at '/fullnameOverride': 'My_Llama' does not match pattern
          service.type=ExternalName    | at '/service/type': value must be one of 'ClusterIP', 'NodePort', 'LoadBalancer'
          """)
  void theSchemaRefusesWithThePlaceAndWhatIsAllowed(String setting, String message) {
    assertThatThrownBy(() -> Chart.text(setting)).hasMessageContaining(message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      textBlock =
          """
          groups=2                       | groups 2: mode statefulset has one group; set mode to leaderworkerset, or install one release for each group
          autoscaling.enabled=true       | autoscaling.enabled: mode statefulset has one group that cannot be scaled; set mode to leaderworkerset
          model.claim.name=              | model.claim.name is empty; set it to a PersistentVolumeClaim that holds the model
          model.source=download          | model.download.url is empty; set it to the address of the model file
          httpRoute.enabled=true         | httpRoute.parentRefs is empty; name the Gateway that the route belongs to
          """)
  void valuesThatDoNotFitEachOtherAreRefusedWithWhatToDo(String setting, String message) {
    assertThatThrownBy(() -> Chart.text(setting)).hasMessageContaining(message);
  }

  @Test
  void valuesOfTheScalingThatDoNotFitAreRefused() {
    assertThatThrownBy(() -> Chart.text("mode=leaderworkerset", "autoscaling.enabled=true"))
        .hasMessageContaining(
            "autoscaling.prometheus is empty; set it to the address of Prometheus");
    assertThatThrownBy(() ->
            Chart.text(
                "mode=leaderworkerset",
                "autoscaling.enabled=true",
                "autoscaling.prometheus=http://prometheus:9090",
                "autoscaling.minGroups=3"))
        .hasMessageContaining("autoscaling.minGroups 3 is over autoscaling.maxGroups 2");
    assertThatThrownBy(
            () -> Chart.text("model.source=download", "model.download.url=https://example.com/m"))
        .hasMessageContaining("model.download.sha256 is empty; set it to the SHA-256");
  }

  @Test
  void everyValueHasADefaultAPlaceInTheSchemaAndARowInTheReadme() throws IOException {
    JsonNode values =
        Chart.parse(Files.readString(Chart.DIRECTORY.resolve("values.yaml"))).getFirst();
    JsonNode schema =
        new ObjectMapper()
            .readTree(Files.readString(Chart.DIRECTORY.resolve("values.schema.json")));
    List<String> described = new ArrayList<>();
    describe(schema, "", described);

    List<String> defaults = new ArrayList<>();
    list(values, schema, "", defaults);

    described.remove("global");
    assertThat(defaults).containsExactlyInAnyOrderElementsOf(described);
    String readme = Files.readString(Chart.DIRECTORY.resolveSibling("README.md"));
    assertThat(defaults.stream().filter(name -> !readme.contains("`" + name + "`"))).isEmpty();
  }

  private static void describe(JsonNode schema, String path, List<String> names) {
    for (Map.Entry<String, JsonNode> entry : schema.at("/properties").properties()) {
      String name = path.isEmpty() ? entry.getKey() : path + "." + entry.getKey();
      if (entry.getValue().has("properties")) {
        assertThat(entry.getValue().at("/additionalProperties").asBoolean(true)).as(name).isFalse();
        describe(entry.getValue(), name, names);
      } else {
        names.add(name);
      }
    }
  }

  private static void list(JsonNode values, JsonNode schema, String path, List<String> names) {
    for (Map.Entry<String, JsonNode> entry : values.properties()) {
      String name = path.isEmpty() ? entry.getKey() : path + "." + entry.getKey();
      JsonNode below = schema.at("/properties").path(entry.getKey());
      if (below.has("properties")) {
        list(entry.getValue(), below, name, names);
      } else {
        names.add(name);
      }
    }
  }
}
