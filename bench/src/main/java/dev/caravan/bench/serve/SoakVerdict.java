package dev.caravan.bench.serve;

import dev.caravan.bench.report.Column;
import dev.caravan.bench.report.ResultTable;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * Whether a server is after a long mixed load what it was before. Immutable.
 *
 * <p>The first fifth of the samples is the warm-up, in which caches fill and threads start. Of the
 * rest the last third is compared with the first third. Of the heap the lowest values are compared,
 * those just after a collection; of all else the highest.
 *
 * @param checks each with its figures
 */
public record SoakVerdict(List<Check> checks) {
  private static final int WARM_UP_SHARE = 5;
  private static final int PARTS = 3;

  /** Fewer of them say nothing about growth. */
  private static final int MIN_SAMPLES = 15;

  private static final double MEBIBYTE = 1 << 20;

  /** What a warm JVM still moves up and down by. */
  private static final double HEAP_SLACK = 16 * MEBIBYTE;

  private static final double DIRECT_SLACK = 8 * MEBIBYTE;

  /** The heap takes its pages when it first writes them, also long after the start. */
  private static final double RESIDENT_SLACK = 64 * MEBIBYTE;

  private static final double GROWTH = 1.1;

  /** Carriers of virtual threads come and go. */
  private static final int THREAD_SLACK = 2;

  /**
   * One thing that has to be so.
   *
   * @param figures what was seen, and what is allowed
   */
  public record Check(String name, boolean passed, String figures) {}

  public SoakVerdict {
    checks = List.copyOf(checks);
  }

  /**
   * Judges.
   *
   * @param samples in their order, one a second or so, while the load ran
   * @param end after the load, when the server was idle or did not become so
   */
  static SoakVerdict of(SoakCounts counts, List<ServerSample> samples, ServerSample end) {
    List<Check> checks = new ArrayList<>();
    boolean anything = counts.answered() > 0;
    checks.add(new Check("requests", anything && counts.failures().isEmpty(), counts.describe()));
    checks.add(
        new Check(
            "idle at the end",
            end.isIdle(),
            "%.0f running, %.0f waiting".formatted(end.running(), end.waiting())));
    checks.add(kvBlocks(samples, end));
    if (samples.size() < MIN_SAMPLES) {
      checks.add(
          new Check("samples", false, "%d; %d are needed".formatted(samples.size(), MIN_SAMPLES)));
      return new SoakVerdict(checks);
    }
    List<ServerSample> warm = samples.subList(samples.size() / WARM_UP_SHARE, samples.size());
    List<ServerSample> early = warm.subList(0, warm.size() / PARTS);
    List<ServerSample> late = warm.subList(warm.size() - warm.size() / PARTS, warm.size());
    checks.add(
        bytes(
            "heap",
            lowest(early, ServerSample::heapBytes),
            lowest(late, ServerSample::heapBytes),
            HEAP_SLACK));
    checks.add(
        bytes(
            "direct memory",
            highest(early, ServerSample::directBytes),
            highest(late, ServerSample::directBytes),
            DIRECT_SLACK));
    if (!Double.isNaN(end.residentBytes())) {
      checks.add(
          bytes(
              "resident memory",
              highest(early, ServerSample::residentBytes),
              highest(late, ServerSample::residentBytes),
              RESIDENT_SLACK));
    }
    checks.add(
        threads(highest(early, ServerSample::threads), highest(late, ServerSample::threads)));
    return new SoakVerdict(checks);
  }

  public boolean passed() {
    return checks.stream().allMatch(Check::passed);
  }

  /** The checks as a table. */
  public ResultTable table() {
    ResultTable table =
        new ResultTable(
            "checks",
            "After the load, compared with its beginning",
            List.of(
                Column.of("verdict", "verdict"),
                Column.of("check", "check"),
                Column.of("figures", "figures")));
    checks.forEach(check -> table.row(check.passed ? "PASS" : "FAIL", check.name, check.figures));
    return table;
  }

  private static Check kvBlocks(List<ServerSample> samples, ServerSample end) {
    return new Check(
        "KV blocks",
        end.kvUsage() == 0,
        "%.1f %% held at the end, at most %.1f %% under load"
            .formatted(100 * end.kvUsage(), 100 * highest(samples, ServerSample::kvUsage)));
  }

  private static Check bytes(String name, double early, double late, double slack) {
    double most = early * GROWTH + slack;
    return new Check(
        name,
        late <= most, // false of NaN: what is not told has not passed
        "%.1f MiB early, %.1f MiB late, at most %.1f MiB"
            .formatted(early / MEBIBYTE, late / MEBIBYTE, most / MEBIBYTE));
  }

  private static Check threads(double early, double late) {
    return new Check(
        "threads",
        late <= early + THREAD_SLACK,
        "%.0f early, %.0f late, at most %.0f".formatted(early, late, early + THREAD_SLACK));
  }

  private static double lowest(List<ServerSample> samples, ToDoubleFunction<ServerSample> value) {
    return samples.stream().mapToDouble(value).min().orElse(Double.NaN);
  }

  private static double highest(List<ServerSample> samples, ToDoubleFunction<ServerSample> value) {
    return samples.stream().mapToDouble(value).max().orElse(Double.NaN);
  }
}
