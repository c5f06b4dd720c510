package dev.caravan.bench.cli;

import dev.caravan.bench.machine.Machine;
import dev.caravan.bench.machine.MachinePeaks;
import dev.caravan.bench.report.Column;
import dev.caravan.bench.report.Report;
import dev.caravan.bench.report.ResultTable;
import dev.caravan.coordinator.cli.Output;
import dev.caravan.coordinator.cli.OutputOptions;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures how fast the machine reads memory and multiplies, by number of threads. */
@Command(
    name = "bandwidth",
    mixinStandardHelpOptions = true,
    description =
        "Measures memory reads in GB/s and f32 multiply-adds in GFLOP/s, per thread count.")
final class BandwidthCommand implements Callable<Integer> {
  private static final int ALL_COUNTS_UP_TO = 8;

  @Option(names = "--threads", paramLabel = "T", description = "most threads (default: all cores)")
  private @Nullable Integer threads;

  @Mixin private OutputOptions output = new OutputOptions();

  @Override
  public Integer call() {
    Machine machine = Machine.here();
    int most = Threads.orCores(threads);
    ResultTable table =
        new ResultTable(
            "threads",
            "Off-heap reads in four streams a thread, and f32 multiply-adds in registers",
            List.of(
                Column.of("threads", "threads"),
                new Column("read_gigabytes_per_second", "read GB/s", 1),
                new Column("read_gigabytes_per_second_per_thread", "per thread", 1),
                new Column("fma_gigaflops", "FMA GFLOP/s", 0),
                new Column("fma_gigaflops_per_thread", "per thread", 0)));
    try (MachinePeaks peaks = new MachinePeaks(most)) {
      for (int count : counts(most)) {
        double read = peaks.readGigabytesPerSecond(count);
        double fma = peaks.fmaGigaflops(count);
        table.row(count, read, read / count, fma, fma / count);
      }
    }
    Report report = new Report("bandwidth", machine, Map.of("threads", most));
    report.add(table);
    report.print(new Output(), output.isJson());
    return 0;
  }

  /** All counts on a small machine, powers of two and the most on a large one. */
  static SortedSet<Integer> counts(int most) {
    SortedSet<Integer> counts = new TreeSet<>();
    for (int count = 1; count <= most; count = most <= ALL_COUNTS_UP_TO ? count + 1 : 2 * count) {
      counts.add(count);
    }
    counts.add(most);
    return counts;
  }
}
