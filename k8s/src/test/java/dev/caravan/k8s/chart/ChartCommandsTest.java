package dev.caravan.k8s.chart;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.caravan.coordinator.api.HealthRoutes;
import dev.caravan.coordinator.cli.Main;
import dev.caravan.coordinator.page.PageRoutes;
import dev.caravan.worker.rpc.WorkerHealth;
import dev.caravan.worker.rpc.WorkerMain;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import picocli.CommandLine;
import picocli.CommandLine.ParseResult;

/** What the chart says to the processes, read by the processes' own code. */
class ChartCommandsTest {
  private static final List<String> MODES = Chart.MODES;
  private static final Path EVERYTHING = Path.of("src/test/values/everything.yaml");
  private static final Pattern REFERENCE = Pattern.compile("\\$\\(([A-Z_]+)\\)");

  /** Set by the controller of LeaderWorkerSets in all its containers. */
  private static final Set<String> GROUP_VARIABLES =
      Set.of("LWS_LEADER_ADDRESS", "LWS_GROUP_SIZE", "LWS_WORKER_INDEX");

  /** Read by the JDK's launcher, by the C library, and by arguments. */
  private static final Set<String> KNOWN_VARIABLES =
      Set.of("JDK_JAVA_OPTIONS", "GLIBC_TUNABLES", "POD_NAME");

  @ParameterizedTest
  @FieldSource("MODES")
  void theCoordinatorTakesItsArguments(String mode) {
    JsonNode container = Chart.container(Chart.render(EVERYTHING, "mode=" + mode), "coordinator");

    ParseResult parsed =
        Main.commandLine().parseArgs(arguments(container).toArray(String[]::new)).subcommand();

    assertThat(parsed.commandSpec().name()).isEqualTo("serve");
    assertThat(port(parsed, "--http")).isEqualTo(containerPort(container, "http"));
    assertThat(port(parsed, "--listen")).isEqualTo(containerPort(container, "cluster"));
    assertThat(parsed.matchedOptionValue("--request-timeout", 0)).isEqualTo(600);
  }

  @ParameterizedTest
  @FieldSource("MODES")
  void aWorkerTakesItsArgumentsAndFindsTheCoordinator(String mode) {
    List<JsonNode> objects = Chart.render(EVERYTHING, "mode=" + mode);
    JsonNode container = Chart.container(objects, "worker");
    List<String> arguments = arguments(container);
    assertThat(arguments.getFirst()).isEqualTo("worker");

    ParseResult parsed =
        new CommandLine(new WorkerMain())
            .parseArgs(arguments.subList(1, arguments.size()).toArray(String[]::new));

    assertThat(port(parsed, "--listen")).isEqualTo(containerPort(container, "peers"));
    assertThat(port(parsed, "--coordinator"))
        .isEqualTo(containerPort(Chart.container(objects, "coordinator"), "cluster"));
    String host = parsed.matchedOptionValue("--coordinator", "").replaceAll(":\\d+$", "");
    if (mode.equals("statefulset")) {
      assertThat(
              Chart.find(objects, "Service", host).at("/spec/publishNotReadyAddresses").asBoolean())
          .as("a coordinator is ready only when workers have found it")
          .isTrue();
    } else {
      assertThat(host).isEqualTo("$(LWS_LEADER_ADDRESS)");
    }
    assertThat(parsed.matchedOptionValue("--id", "")).isEqualTo("$(POD_NAME)");
  }

  @ParameterizedTest
  @FieldSource("MODES")
  void asManyWorkersRunAsTheCoordinatorWaitsFor(String mode) {
    List<JsonNode> objects = Chart.render("mode=" + mode, "cluster.ranks=3", "cluster.stages=2");
    ParseResult parsed =
        Main.commandLine()
            .parseArgs(arguments(Chart.container(objects, "coordinator")).toArray(String[]::new))
            .subcommand();

    int workers =
        parsed.matchedOptionValue("--remote-workers", 0) * parsed.matchedOptionValue("--stages", 0);
    assertThat(workers).isEqualTo(6);
    if (mode.equals("statefulset")) {
      assertThat(Chart.find(objects, "StatefulSet", "-worker").at("/spec/replicas").asInt())
          .isEqualTo(workers);
    } else {
      assertThat(
              Chart.find(objects, "LeaderWorkerSet", "")
                  .at("/spec/leaderWorkerTemplate/size")
                  .asInt())
          .isEqualTo(workers + 1);
    }
  }

  @ParameterizedTest
  @FieldSource("MODES")
  void everyVariableIsSetAndKnown(String mode) {
    List<JsonNode> objects = Chart.render(EVERYTHING, "mode=" + mode);
    for (String component : List.of("coordinator", "worker")) {
      JsonNode container = Chart.container(objects, component);
      List<String> set =
          container.at("/env").valueStream().map(each -> each.at("/name").asText()).toList();
      List<String> available = new ArrayList<>(set);
      if (mode.equals("leaderworkerset")) {
        available.addAll(GROUP_VARIABLES);
      }
      assertThat(set).isSubsetOf(KNOWN_VARIABLES);
      assertThat(arguments(container))
          .flatExtracting(argument ->
              REFERENCE.matcher(argument).results().map((MatchResult r) -> r.group(1)).toList())
          .isSubsetOf(available);
    }
  }

  @ParameterizedTest
  @FieldSource("MODES")
  void probesAskWhatTheCoordinatorOffers(String mode) {
    JsonNode container = Chart.container(Chart.render("mode=" + mode), "coordinator");

    assertThat(container.at("/startupProbe/httpGet/path").asText()).isEqualTo(HealthRoutes.LIVE);
    assertThat(container.at("/livenessProbe/httpGet/path").asText()).isEqualTo(HealthRoutes.LIVE);
    assertThat(container.at("/readinessProbe/httpGet/path").asText()).isEqualTo(HealthRoutes.READY);
  }

  @ParameterizedTest
  @FieldSource("MODES")
  void probesAskWhatAWorkerOffersOnItsOwnPort(String mode) {
    JsonNode container = Chart.container(Chart.render("mode=" + mode), "worker");

    assertThat(container.at("/readinessProbe/grpc/service").asText()).isEqualTo(WorkerHealth.READY);
    for (String probe : List.of("startupProbe", "livenessProbe", "readinessProbe")) {
      assertThat(container.at("/" + probe + "/grpc/port").asInt())
          .isEqualTo(containerPort(container, "peers"));
    }
  }

  @Test
  void prometheusAsksWhereTheMetricsAre() {
    List<JsonNode> objects = Chart.render("serviceMonitor.enabled=true");
    JsonNode monitor = Chart.find(objects, "ServiceMonitor", "");
    JsonNode service = Chart.find(objects, "Service", Chart.RELEASE);

    assertThat(monitor.at("/spec/endpoints/0/path").asText()).isEqualTo(PageRoutes.METRICS);
    assertThat(service.at("/spec/ports/0/name")).isEqualTo(monitor.at("/spec/endpoints/0/port"));
    assertThat(service.at("/metadata/labels").properties())
        .containsAll(monitor.at("/spec/selector/matchLabels").properties());
  }

  @Test
  void theChartBelongsToThisRelease() throws Exception {
    JsonNode chart =
        Chart.parse(Files.readString(Chart.DIRECTORY.resolve("Chart.yaml"))).getFirst();

    assertThat(Main.commandLine().getCommandSpec().version())
        .containsExactly("caravan " + chart.at("/appVersion").asText());
  }

  private static List<String> arguments(JsonNode container) {
    return Chart.strings(container.at("/args"));
  }

  private static int containerPort(JsonNode container, String name) {
    return container
        .at("/ports")
        .valueStream()
        .filter(port -> port.at("/name").asText().equals(name))
        .mapToInt(port -> port.at("/containerPort").asInt())
        .findFirst()
        .orElseThrow();
  }

  private static int port(ParseResult parsed, String option) {
    String address = parsed.matchedOptionValue(option, "");
    return Integer.parseInt(address.substring(address.lastIndexOf(':') + 1));
  }
}
