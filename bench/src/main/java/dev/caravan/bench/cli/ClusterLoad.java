package dev.caravan.bench.cli;

import dev.caravan.bench.cluster.LoadedCluster;
import dev.caravan.bench.machine.Machine;
import dev.caravan.bench.machine.MachinePeaks;
import dev.caravan.bench.report.Report;
import dev.caravan.coordinator.cli.ClusterOptions;
import dev.caravan.coordinator.cli.ModelOption;
import dev.caravan.coordinator.cli.Output;
import dev.caravan.coordinator.cli.OutputOptions;
import dev.caravan.coordinator.cli.Session;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The cluster, the requests and the frame of a measurement that decode and prefill share. */
final class ClusterLoad {
  private static final int MAX_BATCH = 4096;

  @Mixin private ModelOption model = new ModelOption();
  @Mixin private ClusterOptions cluster = new ClusterOptions();
  @Mixin private OutputOptions output = new OutputOptions();

  @Option(
      names = "--batch",
      split = ",",
      paramLabel = "N",
      description = "requests at once, one measurement for each number (default: 1)")
  private List<Integer> batches = List.of(1);

  @Option(
      names = "--repeat",
      paramLabel = "N",
      description = "runs of each measurement; medians are shown (default: ${DEFAULT-VALUE})")
  private int repeat = 5;

  /** What a command does with the cluster. */
  @FunctionalInterface
  interface Measurement {
    /** Measures in turns with the yardsticks, and adds tables. */
    void run(LoadedCluster cluster, Yardsticks yardsticks, Report report);
  }

  List<Integer> batches() {
    return batches;
  }

  int repeat() {
    return repeat;
  }

  /**
   * Starts the cluster, measures, prints.
   *
   * @param tokens numbers of tokens of a request by option name, in order
   */
  void measure(String command, Map<String, Integer> tokens, Measurement measurement) {
    check(tokens);
    int mostRequests = batches.stream().mapToInt(Integer::intValue).max().orElseThrow();
    cluster.defaultWorkers(1);
    cluster.defaultContext(tokens.values().stream().mapToInt(Integer::intValue).sum());
    try (Session session = Session.open(model.path(), cluster, output, mostRequests)) {
      int threads =
          Math.min(
              Runtime.getRuntime().availableProcessors(),
              cluster.grid() * Math.max(1, session.runtime().threads()));
      try (MachinePeaks peaks = new MachinePeaks(threads)) {
        Yardsticks yardsticks = new Yardsticks(peaks, threads);
        yardsticks.measure();
        session.start();
        Report report = new Report(command, Machine.here(), flags(session, tokens));
        measurement.run(new LoadedCluster(session), yardsticks, report);
        report.print(new Output(), output.isJson());
      }
    }
  }

  private Map<String, Object> flags(Session session, Map<String, Integer> tokens) {
    Map<String, Object> flags = new LinkedHashMap<>();
    flags.put("model", String.valueOf(model.path().getFileName()));
    flags.put("workers", cluster.ranks());
    flags.put("stages", cluster.grid() / cluster.ranks());
    flags.put("threads", session.runtime().threads());
    flags.put("sync", String.valueOf(session.runtime().sync()));
    flags.put("kv", String.valueOf(session.runtime().kv()));
    flags.put("prefill-chunk", session.runtime().maxBatchRows());
    flags.putAll(tokens);
    flags.put("repeat", repeat);
    return flags;
  }

  private void check(Map<String, Integer> tokens) {
    tokens.forEach((name, count) -> {
      if (count < 1) {
        throw invalid("--%s %d is not positive".formatted(name, count));
      }
    });
    for (int batch : batches) {
      if (batch < 1 || batch > MAX_BATCH) {
        throw invalid("--batch %d is not in 1..%d".formatted(batch, MAX_BATCH));
      }
    }
    if (repeat < 1) {
      throw invalid("--repeat %d is not positive".formatted(repeat));
    }
  }

  private static ClusterException invalid(String message) {
    return new ClusterException(ErrorCode.INVALID_REQUEST, message);
  }
}
