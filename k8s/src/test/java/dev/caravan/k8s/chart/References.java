package dev.caravan.k8s.chart;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Checks what objects say of each other; an API server takes them even if it is wrong. */
final class References {
  private References() {}

  static void check(List<JsonNode> objects) {
    for (JsonNode pod : Chart.pods(objects)) {
      checkVolumes(objects, pod);
      checkProbePorts(pod);
    }
    for (JsonNode object : objects) {
      switch (object.at("/kind").asText()) {
        case "StatefulSet" -> checkStatefulSet(objects, object);
        case "Service" -> checkService(objects, object);
        case "NetworkPolicy" -> checkNetworkPolicy(objects, object);
        default -> assertThat(object.at("/metadata/name").asText()).isNotEmpty();
      }
    }
  }

  private static void checkVolumes(List<JsonNode> objects, JsonNode pod) {
    Set<String> volumes =
        Stream.concat(
                pod.at("/spec/volumes").valueStream(),
                objects.stream()
                    .flatMap(object ->
                        Stream.of(
                                "/spec/volumeClaimTemplates",
                                "/spec/leaderWorkerTemplate/volumeClaimTemplates")
                            .map(object::at))
                    .flatMap(JsonNode::valueStream)
                    .map(claim -> claim.at("/metadata")))
            .map(volume -> volume.at("/name").asText())
            .collect(Collectors.toCollection(TreeSet::new));
    assertThat(containers(pod))
        .flatExtracting(container -> names(container.at("/volumeMounts")))
        .isNotEmpty()
        .isSubsetOf(volumes);
  }

  private static void checkProbePorts(JsonNode pod) {
    JsonNode container = pod.at("/spec/containers/0");
    for (String probe : List.of("startupProbe", "livenessProbe", "readinessProbe")) {
      JsonNode port = container.at("/" + probe).findValue("port");
      assertThat(container.at("/ports").valueStream())
          .as("port of %s", probe)
          .anyMatch(
              each -> each.at("/name").equals(port) || each.at("/containerPort").equals(port));
    }
  }

  private static void checkStatefulSet(List<JsonNode> objects, JsonNode set) {
    assertThat(labels(set.at("/spec/template/metadata/labels")))
        .containsAllEntriesOf(labels(set.at("/spec/selector/matchLabels")));
    Chart.find(objects, "Service", set.at("/spec/serviceName").asText());
  }

  private static void checkService(List<JsonNode> objects, JsonNode service) {
    for (JsonNode port : service.at("/spec/ports")) {
      assertThat(selected(objects, service.at("/spec/selector")))
          .as("pods with port %s", port)
          .isNotEmpty()
          .allMatch(pod ->
              names(pod.at("/spec/containers/0/ports")).contains(port.at("/targetPort").asText()));
    }
  }

  private static void checkNetworkPolicy(List<JsonNode> objects, JsonNode policy) {
    List<JsonNode> pods = selected(objects, policy.at("/spec/podSelector/matchLabels"));
    for (JsonNode rule : policy.at("/spec/ingress")) {
      checkPolicyPort(pods, rule);
    }
    for (JsonNode rule : policy.at("/spec/egress")) {
      for (JsonNode peer : rule.at("/to")) {
        checkPolicyPort(selected(objects, peer.at("/podSelector/matchLabels")), rule);
      }
    }
  }

  private static void checkPolicyPort(List<JsonNode> pods, JsonNode rule) {
    assertThat(pods)
        .as("pods with port %s", rule.at("/ports"))
        .isNotEmpty()
        .allMatch(pod ->
            pod.at("/spec/containers/0/ports")
                .valueStream()
                .anyMatch(port -> port.at("/containerPort").equals(rule.at("/ports/0/port"))));
  }

  private static List<JsonNode> selected(List<JsonNode> objects, JsonNode selector) {
    Map<String, String> wanted = labels(selector);
    return Chart.pods(objects).stream()
        .filter(pod -> labels(pod.at("/metadata/labels")).entrySet().containsAll(wanted.entrySet()))
        .toList();
  }

  private static List<JsonNode> containers(JsonNode pod) {
    return Stream.of("/spec/initContainers", "/spec/containers")
        .flatMap(path -> pod.at(path).valueStream())
        .toList();
  }

  private static List<String> names(JsonNode array) {
    return array.valueStream().map(each -> each.at("/name").asText()).toList();
  }

  private static Map<String, String> labels(JsonNode object) {
    return object
        .propertyStream()
        .collect(Collectors.toMap(Map.Entry::getKey, entry -> entry.getValue().asText()));
  }
}
