package dev.caravan.bench.cli;

import dev.caravan.bench.cluster.LoadedCluster;
import dev.caravan.bench.cluster.StepSample;
import dev.caravan.bench.machine.Medians;
import dev.caravan.bench.report.Column;
import dev.caravan.bench.report.Report;
import dev.caravan.bench.report.ResultTable;
import dev.caravan.model.step.StepResult.WorkerTimes;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures how fast a whole cluster generates. */
@Command(
    name = "decode",
    mixinStandardHelpOptions = true,
    description = {
      "Measures tokens per second of a whole cluster: worker JVMs, network, sampling.",
      "GB/s are of the weights that a step reads: all but the token embedding."
    })
final class DecodeCommand implements Callable<Integer> {
  @Mixin private ClusterLoad load = new ClusterLoad();

  @Option(
      names = "--prompt-tokens",
      paramLabel = "N",
      description = "of each request (default: ${DEFAULT-VALUE})")
  private int promptTokens = 32;

  @Option(
      names = "--output-tokens",
      paramLabel = "N",
      description = "of each request (default: ${DEFAULT-VALUE})")
  private int outputTokens = 64;

  @Override
  public Integer call() {
    Map<String, Integer> tokens = new LinkedHashMap<>();
    tokens.put("prompt-tokens", promptTokens);
    tokens.put("output-tokens", outputTokens);
    load.measure("decode", tokens, this::measure);
    return 0;
  }

  private void measure(LoadedCluster cluster, Yardsticks yardsticks, Report report) {
    double first = rate(decodeSteps(cluster, 1));
    // In turns, so that a slow moment of the machine hits all batches.
    Map<Integer, List<List<StepSample>>> runs = new LinkedHashMap<>();
    for (int i = 0; i < load.repeat(); i++) {
      for (int batch : load.batches()) {
        runs.computeIfAbsent(batch, key -> new ArrayList<>()).add(decodeSteps(cluster, batch));
      }
      yardsticks.measure();
    }
    report.add(yardsticks.table());
    report.add(rates(cluster, yardsticks, runs));
    report.add(split(runs));
    List<List<StepSample>> single = runs.get(1);
    if (single != null) {
      report.note(
          String.format(
              Locale.ROOT,
              "First request after ready: %.1f tokens/s, %.0f %% of the median at batch 1.",
              first,
              100 * first / medianRate(single)));
    }
  }

  /** Steps in which all requests decode: not those in which some still prefill or have ended. */
  private List<StepSample> decodeSteps(LoadedCluster cluster, int requests) {
    return cluster.answer(requests, promptTokens, outputTokens).stream()
        .filter(step -> step.decode() && step.rows() == requests)
        .toList();
  }

  private static ResultTable rates(
      LoadedCluster cluster, Yardsticks yardsticks, Map<Integer, List<List<StepSample>>> runs) {
    ResultTable table =
        new ResultTable(
            "decode",
            "Decode, medians",
            List.of(
                Column.of("batch", "batch"),
                new Column("tokens_per_second", "tokens/s", 1),
                new Column("tokens_per_second_per_request", "per request", 1),
                new Column("times_first_batch", "gain", 2),
                new Column("step_millis", "ms/step", 1),
                new Column("weight_gigabytes_per_second", "weights GB/s", 1),
                new Column("bandwidth_percent", "% of read", 1)));
    double base = Double.NaN;
    for (Map.Entry<Integer, List<List<StepSample>>> entry : runs.entrySet()) {
      int batch = entry.getKey();
      double rate = medianRate(entry.getValue());
      base = Double.isNaN(base) ? rate : base;
      double gigabytes = cluster.weightBytes() * (rate / batch) / 1e9;
      table.row(
          batch,
          rate,
          rate / batch,
          rate / base,
          1e3 * batch / rate,
          gigabytes,
          100 * gigabytes / yardsticks.readGigabytesPerSecond());
    }
    return table;
  }

  /** Where a step's time goes, seen from each worker. */
  private static ResultTable split(Map<Integer, List<List<StepSample>>> runs) {
    ResultTable table =
        new ResultTable(
            "workers",
            "A decode step of each worker, means; the rest is the coordinator and the way to it",
            List.of(
                Column.of("batch", "batch"),
                Column.of("worker", "worker"),
                new Column("compute_millis", "compute ms", 2),
                new Column("sync_millis", "sync ms", 2),
                new Column("wait_millis", "of it wait ms", 2),
                new Column("rest_millis", "rest ms", 2),
                new Column("sync_kilobytes", "sent kB", 1)));
    runs.forEach((batch, samples) -> {
      List<StepSample> steps = samples.stream().flatMap(List::stream).toList();
      int workers = steps.isEmpty() ? 0 : steps.getFirst().workers().size();
      double step = steps.stream().mapToLong(StepSample::nanos).average().orElse(0) / 1e6;
      for (int worker = 0; worker < workers; worker++) {
        int index = worker;
        List<WorkerTimes> times = steps.stream().map(s -> s.workers().get(index)).toList();
        double compute =
            times.stream().mapToLong(WorkerTimes::computeNanos).average().orElse(0) / 1e6;
        double sync = times.stream().mapToLong(WorkerTimes::syncNanos).average().orElse(0) / 1e6;
        double wait = times.stream().mapToLong(WorkerTimes::waitNanos).average().orElse(0) / 1e6;
        double sent = times.stream().mapToLong(WorkerTimes::syncBytes).average().orElse(0) / 1e3;
        table.row(batch, worker, compute, sync, wait, step - compute - sync, sent);
      }
    });
    return table;
  }

  private static double medianRate(List<List<StepSample>> runs) {
    return Medians.of(runs.stream().mapToDouble(DecodeCommand::rate).toArray());
  }

  private static double rate(List<StepSample> steps) {
    long rows = steps.stream().mapToLong(StepSample::rows).sum();
    long nanos = steps.stream().mapToLong(StepSample::nanos).sum();
    return nanos == 0 ? Double.NaN : rows / (nanos / 1e9);
  }
}
