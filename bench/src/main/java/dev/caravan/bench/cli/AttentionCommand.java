package dev.caravan.bench.cli;

import dev.caravan.bench.kernel.AttentionCase;
import dev.caravan.bench.kernel.AttentionMeasurement;
import dev.caravan.bench.machine.Machine;
import dev.caravan.bench.machine.MachinePeaks;
import dev.caravan.bench.machine.Medians;
import dev.caravan.bench.report.Column;
import dev.caravan.bench.report.Report;
import dev.caravan.bench.report.ResultTable;
import dev.caravan.coordinator.cli.Output;
import dev.caravan.coordinator.cli.OutputOptions;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.worker.kvcache.KvType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures the worker's attention over caches that stream from memory. */
@Command(
    name = "attention",
    mixinStandardHelpOptions = true,
    description = {
      "Measures attention of one layer with the heads of Llama 3.1 8B (32, 8 of keys and values,",
      "128 numbers each), keys and values streamed from memory. GB/s are of keys and values;",
      "for pieces of prompts the FMA peak is the limit instead."
    })
final class AttentionCommand implements Callable<Integer> {
  private static final int MAX_ROWS = 1024;
  private static final int MAX_CONTEXT = 1 << 18;
  private static final long WARM_UP_NANOS = TimeUnit.MILLISECONDS.toNanos(800);

  @Option(
      names = "--kv",
      split = ",",
      paramLabel = "TYPE",
      description = "types of keys and values: f16, q8, f32 (default: f16,q8)")
  private List<KvType> types = List.of(KvType.F16, KvType.Q8);

  @Option(
      names = "--contexts",
      split = ",",
      paramLabel = "N",
      description = "positions that are seen (default: 1024,8192,32768)")
  private List<Integer> contexts = List.of(1024, 8192, 32_768);

  @Option(
      names = "--rows",
      split = ",",
      paramLabel = "ROWS",
      description = "1 for decode, more for a piece of a prompt (default: 1,64)")
  private List<Integer> rows = List.of(1, 64);

  @Option(
      names = "--threads",
      paramLabel = "T",
      description = "compute threads (default: all cores)")
  private @Nullable Integer threads;

  @Option(
      names = "--repeat",
      paramLabel = "N",
      description =
          "measurements of each case, in turns; medians are shown (default: ${DEFAULT-VALUE})")
  private int repeat = 5;

  @Mixin private OutputOptions output = new OutputOptions();

  @Override
  public Integer call() {
    check();
    int threadCount = Threads.orCores(threads);
    List<AttentionCase> cases = cases();
    try (MachinePeaks peaks = new MachinePeaks(threadCount);
        AttentionMeasurement attention =
            new AttentionMeasurement(threadCount, most(contexts), most(rows))) {
      attention.start();
      cases.forEach(attentionCase -> attention.warmUp(attentionCase, WARM_UP_NANOS));
      Yardsticks yardsticks = new Yardsticks(peaks, threadCount);
      yardsticks.measure();
      Map<AttentionCase, double[]> nanos = measure(attention, cases);
      yardsticks.measure();
      Report report = new Report("attention", Machine.here(), flags(threadCount));
      report.add(yardsticks.table());
      report.add(table(attention, nanos, yardsticks));
      report.print(new Output(), output.isJson());
    }
    return 0;
  }

  private List<AttentionCase> cases() {
    List<AttentionCase> cases = new ArrayList<>();
    for (int count : rows) {
      for (int positions : contexts) {
        types.forEach(type -> cases.add(new AttentionCase(type, positions, count)));
      }
    }
    return cases;
  }

  /** Repetition by repetition over all cases, so that a slow moment of the machine hits all. */
  private Map<AttentionCase, double[]> measure(
      AttentionMeasurement attention, List<AttentionCase> cases) {
    Map<AttentionCase, double[]> nanos = new LinkedHashMap<>();
    cases.forEach(attentionCase -> nanos.put(attentionCase, new double[repeat]));
    for (int i = 0; i < repeat; i++) {
      for (Map.Entry<AttentionCase, double[]> entry : nanos.entrySet()) {
        entry.getValue()[i] = attention.nanosPerLayer(entry.getKey());
      }
    }
    return nanos;
  }

  private static ResultTable table(
      AttentionMeasurement attention,
      Map<AttentionCase, double[]> measured,
      Yardsticks yardsticks) {
    ResultTable table =
        new ResultTable(
            "attention",
            "Attention of one layer",
            List.of(
                Column.of("rows", "rows"),
                Column.of("context", "context"),
                Column.of("kv", "kv"),
                new Column("microseconds", "µs", 0),
                new Column("kv_gigabytes_per_second", "kv GB/s", 1),
                new Column("bandwidth_percent", "% of read", 1),
                new Column("gigaflops", "GFLOP/s", 0),
                new Column("fma_percent", "% of FMA", 1)));
    measured.forEach((attentionCase, values) -> {
      double nanos = Medians.of(values);
      boolean decode = attentionCase.rows() == 1;
      double gigabytes = attention.kvBytes(attentionCase) / nanos;
      double gigaflops = AttentionMeasurement.operations(attentionCase) / nanos;
      table.row(
          attentionCase.rows(),
          attentionCase.positions(),
          lower(attentionCase.type()),
          nanos / 1e3,
          decode ? gigabytes : Double.NaN,
          decode ? 100 * gigabytes / yardsticks.readGigabytesPerSecond() : Double.NaN,
          gigaflops,
          100 * gigaflops / yardsticks.fmaGigaflops());
    });
    return table;
  }

  private void check() {
    for (int count : rows) {
      if (count < 1 || count > MAX_ROWS) {
        throw invalid("--rows %d is not in 1..%d".formatted(count, MAX_ROWS));
      }
    }
    for (int positions : contexts) {
      if (positions < most(rows) || positions > MAX_CONTEXT) {
        throw invalid(
            "--contexts %d is not in %d..%d, from the rows on"
                .formatted(positions, most(rows), MAX_CONTEXT));
      }
    }
    if (repeat < 1) {
      throw invalid("--repeat %d is not positive".formatted(repeat));
    }
  }

  private Map<String, Object> flags(int threadCount) {
    Map<String, Object> flags = new LinkedHashMap<>();
    flags.put("kv", String.join(",", types.stream().map(AttentionCommand::lower).toList()));
    flags.put("contexts", String.join(",", contexts.stream().map(String::valueOf).toList()));
    flags.put("rows", String.join(",", rows.stream().map(String::valueOf).toList()));
    flags.put("threads", threadCount);
    flags.put("repeat", repeat);
    return flags;
  }

  private static int most(List<Integer> numbers) {
    return numbers.stream().mapToInt(Integer::intValue).max().orElseThrow();
  }

  private static String lower(KvType type) {
    return type.name().toLowerCase(Locale.ROOT);
  }

  private static ClusterException invalid(String message) {
    return new ClusterException(ErrorCode.INVALID_REQUEST, message);
  }
}
