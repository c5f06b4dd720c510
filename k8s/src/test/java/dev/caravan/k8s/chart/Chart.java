package dev.caravan.k8s.chart;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.marcnuri.helm.Helm;
import com.marcnuri.helm.TemplateCommand;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** Renders the chart as {@code helm template caravan k8s/chart --namespace caravan} does. */
final class Chart {
  static final Path DIRECTORY = Path.of("chart");
  static final String RELEASE = "caravan";
  static final List<String> MODES = List.of("statefulset", "leaderworkerset");

  /** helm-java takes 1.20 where helm takes the version that it was built for. */
  private static final String KUBERNETES = "1.34.0";

  private static final YAMLMapper YAML =
      YAMLMapper.builder().enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION).build();

  private Chart() {}

  /** Example values, by their file names. */
  static List<Path> examples() {
    try (Stream<Path> files = Files.list(DIRECTORY.resolve("examples"))) {
      return files.sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Renders the chart.
   *
   * @param settings NAME=VALUE each, as after --set
   * @throws IllegalStateException with helm's message if it refuses
   */
  static String text(Path values, String... settings) {
    return call(command().withValuesFile(values), settings);
  }

  static String text(String... settings) {
    return call(command(), settings);
  }

  /** Renders the chart with its own values but for these. */
  static List<JsonNode> render(String... settings) {
    return parse(text(settings));
  }

  static List<JsonNode> render(Path values, String... settings) {
    return parse(text(values, settings));
  }

  /** Parses the documents of a stream; a key that comes twice in an object is an error. */
  static List<JsonNode> parse(String yaml) {
    try (MappingIterator<JsonNode> documents = YAML.readerFor(JsonNode.class).readValues(yaml)) {
      return documents.readAll().stream().filter(document -> !document.isNull()).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(yaml, e);
    }
  }

  /** Returns the one object of a kind whose name ends so. */
  static JsonNode find(List<JsonNode> objects, String kind, String nameEnd) {
    List<JsonNode> found =
        objects.stream()
            .filter(object -> object.at("/kind").asText().equals(kind))
            .filter(object -> object.at("/metadata/name").asText().endsWith(nameEnd))
            .toList();
    if (found.size() != 1) {
      throw new AssertionError("%d objects %s *%s".formatted(found.size(), kind, nameEnd));
    }
    return found.getFirst();
  }

  /** Returns the pod template of a component, in either mode. */
  static JsonNode pod(List<JsonNode> objects, String component) {
    return pods(objects).stream()
        .filter(pod ->
            pod.at("/metadata/labels/app.kubernetes.io~1component").asText().equals(component))
        .findFirst()
        .orElseThrow();
  }

  /** Returns all pod templates. */
  static List<JsonNode> pods(List<JsonNode> objects) {
    return objects.stream()
        .flatMap(object ->
            Stream.of(
                    "/spec/template",
                    "/spec/leaderWorkerTemplate/leaderTemplate",
                    "/spec/leaderWorkerTemplate/workerTemplate")
                .map(object::at))
        .filter(JsonNode::isObject)
        .toList();
  }

  /** Returns the container of a component. */
  static JsonNode container(List<JsonNode> objects, String component) {
    return requireNonNull(pod(objects, component).at("/spec/containers").get(0));
  }

  static List<String> strings(JsonNode array) {
    return array.valueStream().map(JsonNode::asText).toList();
  }

  private static TemplateCommand command() {
    return new Helm(DIRECTORY)
        .template()
        .withName(RELEASE)
        .withNamespace(RELEASE)
        .withKubeVersion(KUBERNETES);
  }

  private static String call(TemplateCommand command, String... settings) {
    Arrays.stream(settings)
        .map(setting -> setting.split("=", 2))
        .forEach(pair -> command.set(pair[0], pair[1]));
    return command.call();
  }
}
