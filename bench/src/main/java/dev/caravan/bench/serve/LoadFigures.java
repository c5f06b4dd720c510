package dev.caravan.bench.serve;

import dev.caravan.bench.report.Column;
import dev.caravan.bench.report.ResultTable;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.HdrHistogram.Histogram;

/**
 * What came of a load. Immutable.
 *
 * @param outcomes of all requests that were sent
 * @param nanos how long all took
 */
public record LoadFigures(List<Outcome> outcomes, long nanos) {
  private static final int DIGITS = 3;
  private static final double MICROS_PER_MILLI = 1e3;

  public LoadFigures {
    outcomes = List.copyOf(outcomes);
  }

  List<Outcome> succeeded() {
    return outcomes.stream().filter(Outcome::succeeded).toList();
  }

  /** Returns true if at least one request succeeded. */
  public boolean hasSuccess() {
    return outcomes.stream().anyMatch(Outcome::succeeded);
  }

  /** Failures by what went wrong. */
  public Map<String, Long> failures() {
    return outcomes.stream()
        .filter(outcome -> !outcome.succeeded())
        .collect(Collectors.groupingBy(Outcome::failure, TreeMap::new, Collectors.counting()));
  }

  /** Latencies at p50, p90 and p99. */
  public ResultTable latencies() {
    ResultTable table =
        new ResultTable(
            "latencies",
            "Latency, requests that succeeded",
            List.of(
                Column.of("latency", "latency"),
                new Column("mean_millis", "mean ms", 1),
                new Column("p50_millis", "p50 ms", 1),
                new Column("p90_millis", "p90 ms", 1),
                new Column("p99_millis", "p99 ms", 1),
                new Column("max_millis", "max ms", 1)));
    row(table, "ttft", histogram(Outcome::ttftMillis));
    row(table, "tpot", histogram(Outcome::tpotMillis));
    row(table, "itl", gaps());
    row(table, "e2e", histogram(Outcome::totalMillis));
    return table;
  }

  private static void row(ResultTable table, String name, Histogram histogram) {
    boolean none = histogram.getTotalCount() == 0;
    table.row(
        name,
        none ? Double.NaN : histogram.getMean() / MICROS_PER_MILLI,
        millis(histogram, 50),
        millis(histogram, 90),
        millis(histogram, 99),
        millis(histogram, 100));
  }

  /** Returns NaN of no values. */
  static double millis(Histogram histogram, double percentile) {
    return histogram.getTotalCount() == 0
        ? Double.NaN
        : histogram.getValueAtPercentile(percentile) / MICROS_PER_MILLI;
  }

  /** Microseconds of what a function takes from each request that succeeded; NaN is left out. */
  Histogram histogram(ToDoubleFunction<Outcome> millis) {
    Histogram histogram = new Histogram(DIGITS);
    succeeded().stream()
        .mapToDouble(millis)
        .filter(value -> !Double.isNaN(value))
        .forEach(value -> histogram.recordValue(Math.max(0, (long) (value * MICROS_PER_MILLI))));
    return histogram;
  }

  /** Microseconds between pieces of text. */
  Histogram gaps() {
    Histogram histogram = new Histogram(DIGITS);
    for (Outcome outcome : succeeded()) {
      LongStream.of(outcome.gapNanos()).forEach(gap -> histogram.recordValue(gap / 1000));
    }
    return histogram;
  }

  /** What the server did per second, and how many users were content. */
  public ResultTable rates(Goal goal) {
    ResultTable table =
        new ResultTable(
            "rates",
            "Throughput; goodput counts the requests that met the targets",
            List.of(
                Column.of("requests", "requests"),
                Column.of("failed", "failed"),
                new Column("seconds", "s", 1),
                new Column("requests_per_second", "requests/s", 2),
                new Column("output_tokens_per_second", "output tokens/s", 1),
                new Column("total_tokens_per_second", "all tokens/s", 1),
                new Column("cached_percent", "% of prompt cached", 1),
                new Column("goodput_requests_per_second", "goodput/s", 2),
                new Column("goodput_percent", "% good", 1)));
    double seconds = nanos / 1e9;
    List<Outcome> good = succeeded();
    long prompt = good.stream().mapToLong(Outcome::promptTokens).sum();
    long output = good.stream().mapToLong(Outcome::outputTokens).sum();
    long cached = good.stream().mapToLong(Outcome::cachedTokens).sum();
    long met = good.stream().filter(goal::isMet).count();
    table.row(
        outcomes.size(),
        outcomes.size() - good.size(),
        seconds,
        good.size() / seconds,
        output / seconds,
        (prompt + output) / seconds,
        prompt == 0 ? Double.NaN : 100.0 * cached / prompt,
        met / seconds,
        outcomes.isEmpty() ? Double.NaN : 100.0 * met / outcomes.size());
    return table;
  }
}
