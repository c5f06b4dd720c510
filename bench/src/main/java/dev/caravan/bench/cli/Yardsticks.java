package dev.caravan.bench.cli;

import dev.caravan.bench.machine.MachinePeaks;
import dev.caravan.bench.machine.Medians;
import dev.caravan.bench.report.Column;
import dev.caravan.bench.report.ResultTable;
import java.util.ArrayList;
import java.util.List;

/**
 * The yardsticks of a run, measured before it and in turns with its repetitions: shares are of
 * their median, and a reader sees how much the machine changed meanwhile. Confined to one thread.
 */
final class Yardsticks {
  private final MachinePeaks peaks;
  private final int threads;
  private final List<Double> reads = new ArrayList<>();
  private final List<Double> multiplyAdds = new ArrayList<>();

  Yardsticks(MachinePeaks peaks, int threads) {
    this.peaks = peaks;
    this.threads = threads;
  }

  void measure() {
    reads.add(peaks.readGigabytesPerSecond(threads));
    multiplyAdds.add(peaks.fmaGigaflops(threads));
  }

  /** Median of the measurements so far. */
  double readGigabytesPerSecond() {
    return median(reads);
  }

  /** Median of the measurements so far. */
  double fmaGigaflops() {
    return median(multiplyAdds);
  }

  ResultTable table() {
    ResultTable table =
        new ResultTable(
            "peaks",
            "The machine in this run, %d threads".formatted(threads),
            List.of(
                Column.of("when", "when"),
                new Column("read_gigabytes_per_second", "read GB/s", 1),
                new Column("fma_gigaflops", "FMA GFLOP/s", 0)));
    for (int i = 0; i < reads.size(); i++) {
      table.row(i == 0 ? "before" : "after " + i, reads.get(i), multiplyAdds.get(i));
    }
    return table;
  }

  private static double median(List<Double> values) {
    return Medians.of(values.stream().mapToDouble(Double::doubleValue).toArray());
  }
}
