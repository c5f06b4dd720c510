package dev.caravan.bench.cli;

import dev.caravan.bench.cluster.LoadedCluster;
import dev.caravan.bench.cluster.StepSample;
import dev.caravan.bench.machine.Medians;
import dev.caravan.bench.report.Column;
import dev.caravan.bench.report.Report;
import dev.caravan.bench.report.ResultTable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures how fast a whole cluster reads prompts. */
@Command(
    name = "prefill",
    mixinStandardHelpOptions = true,
    description = {
      "Measures prompt tokens per second of a whole cluster, up to the first output token.",
      "GFLOP/s are of matrix products with weights; attention is not counted."
    })
final class PrefillCommand implements Callable<Integer> {
  @Mixin private ClusterLoad load = new ClusterLoad();

  @Option(
      names = "--prompt-tokens",
      paramLabel = "N",
      description = "of each request (default: ${DEFAULT-VALUE})")
  private int promptTokens = 512;

  @Override
  public Integer call() {
    load.measure("prefill", Map.of("prompt-tokens", promptTokens), this::measure);
    return 0;
  }

  private void measure(LoadedCluster cluster, Yardsticks yardsticks, Report report) {
    double first = promptTokens / seconds(cluster.answer(1, promptTokens, 1));
    Map<Integer, List<Double>> runs = new LinkedHashMap<>();
    for (int i = 0; i < load.repeat(); i++) {
      for (int batch : load.batches()) {
        double seconds = seconds(cluster.answer(batch, promptTokens, 1));
        runs.computeIfAbsent(batch, key -> new ArrayList<>()).add(seconds);
      }
      yardsticks.measure();
    }
    report.add(yardsticks.table());
    report.add(table(cluster, yardsticks, runs));
    report.note(
        String.format(Locale.ROOT, "First request after ready: %.1f prompt tokens/s.", first));
  }

  private ResultTable table(
      LoadedCluster cluster, Yardsticks yardsticks, Map<Integer, List<Double>> runs) {
    ResultTable table =
        new ResultTable(
            "prefill",
            "Prefill, medians",
            List.of(
                Column.of("batch", "batch"),
                new Column("tokens_per_second", "tokens/s", 1),
                new Column("time_to_last_first_token_millis", "ms to last first token", 0),
                new Column("gigaflops", "GFLOP/s", 1),
                new Column("fma_percent", "% of FMA", 1)));
    runs.forEach((batch, times) -> {
      double seconds = Medians.of(times.stream().mapToDouble(Double::doubleValue).toArray());
      long rows = (long) batch * promptTokens;
      double gigaflops = cluster.operations(rows, batch) / seconds / 1e9;
      table.row(
          batch,
          rows / seconds,
          1e3 * seconds,
          gigaflops,
          100 * gigaflops / yardsticks.fmaGigaflops());
    });
    return table;
  }

  private static double seconds(List<StepSample> steps) {
    return steps.stream().mapToLong(StepSample::nanos).sum() / 1e9;
  }
}
