package dev.caravan.k8s.chart;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** How pods are kept: their rights, their resources, their places, their end. */
class ChartPodsTest {
  private static final List<String> MODES = Chart.MODES;

  @ParameterizedTest
  @FieldSource("MODES")
  void podsHaveNoRightsAndCannotWriteButToTheirVolumes(String mode) {
    List<JsonNode> objects = everything(mode);
    for (JsonNode pod : Chart.pods(objects)) {
      JsonNode spec = pod.at("/spec");
      assertThat(spec.at("/automountServiceAccountToken").asBoolean(true)).isFalse();
      assertThat(spec.at("/securityContext/runAsNonRoot").asBoolean()).isTrue();
      assertThat(spec.at("/securityContext/runAsUser").asInt()).isEqualTo(10001);
      assertThat(spec.at("/securityContext/seccompProfile/type").asText())
          .isEqualTo("RuntimeDefault");
      assertThat(containers(pod))
          .hasSize(2)
          .allSatisfy(container -> {
            JsonNode security = container.at("/securityContext");
            assertThat(security.at("/readOnlyRootFilesystem").asBoolean()).isTrue();
            assertThat(security.at("/allowPrivilegeEscalation").asBoolean(true)).isFalse();
            assertThat(Chart.strings(security.at("/capabilities/drop"))).containsExactly("ALL");
          });
      assertThat(spec.at("/containers/0/volumeMounts").valueStream())
          .as("native libraries are unpacked to /tmp")
          .anyMatch(mount ->
              mount.at("/mountPath").asText().equals("/tmp") && !mount.at("/readOnly").asBoolean());
    }
  }

  @ParameterizedTest
  @FieldSource("MODES")
  void podsAreOfTheClassGuaranteedAndTakeWholeCpus(String mode) {
    for (JsonNode pod : Chart.pods(everything(mode))) {
      assertThat(containers(pod))
          .allSatisfy(container -> {
            JsonNode resources = container.at("/resources");
            assertThat(resources.at("/requests")).isEqualTo(resources.at("/limits"));
            assertThat(resources.at("/limits/cpu").isInt()).isTrue();
            assertThat(resources.at("/limits/memory").asText()).isNotEmpty();
          });
    }
  }

  @ParameterizedTest
  @FieldSource("MODES")
  void theGracePeriodIsLongerThanTheLongestGeneration(String mode) {
    JsonNode pod =
        Chart.pod(Chart.render("mode=" + mode, "serve.requestTimeoutSeconds=1800"), "coordinator");
    JsonNode container = pod.at("/spec/containers/0");

    assertThat(Chart.strings(container.at("/args")))
        .contains("--request-timeout=1800", "--drain-timeout=1800");
    int before = container.at("/lifecycle/preStop/sleep/seconds").asInt();
    assertThat(before).isPositive();
    assertThat(pod.at("/spec/terminationGracePeriodSeconds").asInt()).isGreaterThan(1800 + before);
  }

  @Test
  void aGroupLiesInOneZoneAndItsWorkersOnHostsOfTheirOwn() {
    for (String mode : MODES) {
      List<JsonNode> objects = Chart.render("mode=" + mode);
      for (JsonNode pod : Chart.pods(objects)) {
        JsonNode zone =
            pod.at("/spec/affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/0");
        assertThat(zone.at("/topologyKey").asText()).isEqualTo("topology.kubernetes.io/zone");
        assertThat(pod.at("/metadata/labels").properties())
            .containsAll(zone.at("/labelSelector/matchLabels").properties());
        assertThat(Chart.strings(zone.at("/matchLabelKeys")))
            .as("another group may lie in another zone")
            .isEqualTo(
                mode.equals("leaderworkerset")
                    ? List.of("leaderworkerset.sigs.k8s.io/group-index")
                    : List.of());
      }
      JsonNode worker = Chart.pod(objects, "worker");
      JsonNode hosts =
          worker.at(
              "/spec/affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/0");
      assertThat(hosts.at("/topologyKey").asText()).isEqualTo("kubernetes.io/hostname");
      assertThat(worker.at("/metadata/labels").properties())
          .containsAll(hosts.at("/labelSelector/matchLabels").properties());
    }
  }

  @Test
  void placementCanBeLeftToTheScheduler() {
    List<JsonNode> objects = Chart.render("placement.zone=any", "placement.hosts=any");

    assertThat(Chart.pods(objects)).allMatch(pod -> pod.at("/spec/affinity").isMissingNode());
  }

  @Test
  void workersStartTogetherAndAreReplacedTogether() {
    JsonNode workers = Chart.find(Chart.render(), "StatefulSet", "-worker");
    JsonNode group = Chart.find(Chart.render("mode=leaderworkerset"), "LeaderWorkerSet", "");

    assertThat(workers.at("/spec/podManagementPolicy").asText()).isEqualTo("Parallel");
    assertThat(workers.at("/spec/updateStrategy/type").asText()).isEqualTo("OnDelete");
    assertThat(group.at("/spec/startupPolicy").asText()).isEqualTo("LeaderCreated");
    assertThat(group.at("/spec/leaderWorkerTemplate/restartPolicy").asText())
        .isEqualTo("RecreateGroupOnPodRestart");
  }

  @Test
  void livenessNeverDependsOnPeers() {
    List<JsonNode> objects = Chart.render();

    assertThat(Chart.container(objects, "worker").at("/livenessProbe/grpc/service").isMissingNode())
        .as("the process, not its shard")
        .isTrue();
    assertThat(Chart.container(objects, "worker").at("/readinessProbe/grpc/service").asText())
        .isNotEmpty();
    assertThat(Chart.container(objects, "coordinator").at("/livenessProbe/httpGet/path"))
        .isNotEqualTo(Chart.container(objects, "coordinator").at("/readinessProbe/httpGet/path"));
  }

  @Test
  void onlyTheFlowsOfTheCodeAreAllowed() {
    List<JsonNode> objects = Chart.render();
    JsonNode coordinator = Chart.find(objects, "NetworkPolicy", "-coordinator");
    JsonNode worker = Chart.find(objects, "NetworkPolicy", "-worker");

    assertThat(flows(coordinator, "ingress")).containsExactly("8080 from all", "7000 from worker");
    assertThat(flows(coordinator, "egress")).containsExactly("7001 to worker", "53,53 to all");
    assertThat(flows(worker, "ingress")).containsExactly("7001 from group");
    assertThat(flows(worker, "egress"))
        .containsExactly("7000 to coordinator", "7001 to worker", "53,53 to all");
    JsonNode downloading = Chart.find(everything("statefulset"), "NetworkPolicy", "-worker");
    assertThat(flows(downloading, "egress")).contains("8443 to all");
  }

  @Test
  void hugePagesAreAskedForOfTheKernelOrOfTheNode() {
    JsonNode none = Chart.container(Chart.render(), "worker");
    JsonNode transparent =
        Chart.container(Chart.render("worker.hugePages.mode=transparent"), "worker");
    JsonNode reserved = Chart.container(Chart.render("worker.hugePages.mode=reserved"), "worker");

    assertThat(none.at("/env").findValuesAsText("name")).doesNotContain("GLIBC_TUNABLES");
    assertThat(transparent.at("/env").findValuesAsText("value")).contains("glibc.malloc.hugetlb=1");
    assertThat(transparent.at("/resources/limits").has("hugepages-2Mi")).isFalse();
    assertThat(reserved.at("/env").findValuesAsText("value")).contains("glibc.malloc.hugetlb=2");
    assertThat(reserved.at("/resources/limits/hugepages-2Mi").asText()).isEqualTo("4Gi");
  }

  private static List<JsonNode> everything(String mode) {
    return Chart.render(Path.of("src/test/values/everything.yaml"), "mode=" + mode);
  }

  private static List<JsonNode> containers(JsonNode pod) {
    return Stream.of("/spec/initContainers", "/spec/containers")
        .flatMap(path -> pod.at(path).valueStream())
        .toList();
  }

  private static List<String> flows(JsonNode policy, String direction) {
    String word = direction.equals("ingress") ? "from" : "to";
    return policy
        .at("/spec/" + direction)
        .valueStream()
        .map(rule ->
            "%s %s %s"
                .formatted(
                    String.join(",", rule.at("/ports").findValuesAsText("port")),
                    word,
                    rule.has(word)
                        ? rule.at(
                                "/%s/0/podSelector/matchLabels/app.kubernetes.io~1component"
                                    .formatted(word))
                            .asText("group")
                        : "all"))
        .toList();
  }
}
