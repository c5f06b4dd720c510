package dev.caravan.bench.serve;

import dev.caravan.bench.report.Report;
import dev.caravan.bench.serve.SvgPlot.Point;
import dev.caravan.bench.serve.SvgPlot.Series;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.TreeMap;
import org.HdrHistogram.Histogram;

/** A page that shows the figures of a load; it needs nothing but itself. Immutable. */
public final class HtmlReport {
  private static final int PERCENTILES = 100;
  private static final double NANOS_PER_SECOND = 1e9;
  private static final String STYLE =
      """
      :root { color-scheme: light dark; --ink: #1f2328; --paper: #ffffff; --faint: #d0d7de;
        --a: #0969da; --b: #bc4c00; --c: #1a7f37; --d: #8250df; }
      @media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117;
        --faint: #30363d; --a: #58a6ff; --b: #f0883e; --c: #56d364; --d: #bc8cff; } }
      body { color: var(--ink); background: var(--paper); margin: 2rem auto; max-width: 84rem;
        padding: 0 1rem; font: 16px/1.5 system-ui, sans-serif; }
      .plots { display: grid; gap: 1.5rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); }
      figure { margin: 0; } figcaption { font-weight: 600; }
      table { border-collapse: collapse; } .wide { overflow-x: auto; margin: 1rem 0; }
      th, td { padding: .25rem .75rem; text-align: right; border-bottom: 1px solid var(--faint); }
      svg { width: 100%; height: auto; } svg text { fill: var(--ink); font-size: 12px; }
      .grid { stroke: var(--faint); } .line { fill: none; stroke-width: 2; }
      .line.s0 { stroke: var(--a); } .line.s1 { stroke: var(--b); }
      .line.s2 { stroke: var(--c); } .line.s3 { stroke: var(--d); }
      circle.s0, text.name.s0 { fill: var(--a); } circle.s1, text.name.s1 { fill: var(--b); }
      text.name.s2 { fill: var(--c); } text.name.s3 { fill: var(--d); }
      """;

  private final Report report;
  private final LoadFigures figures;

  public HtmlReport(Report report, LoadFigures figures) {
    this.report = report;
    this.figures = figures;
  }

  /** Returns the page. */
  public String render() {
    StringBuilder page = new StringBuilder();
    page.append("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
    page.append("<meta name=\"viewport\" content=\"width=device-width\">");
    page.append("<title>caravan bench serve</title><style>\n");
    page.append(STYLE).append("</style></head><body>\n<h1>caravan bench serve</h1>\n");
    page.append(report.html());
    page.append("<div class=\"plots\">\n");
    page.append(latency("Wait for the first token, and for the whole answer", true).render());
    page.append(latency("Time between tokens", false).render());
    page.append(throughput().render());
    page.append(waits().render());
    return page.append("</div></body></html>\n").toString();
  }

  private SvgPlot latency(String title, boolean requests) {
    List<Series> series =
        requests
            ? List.of(
                percentiles("first token", figures.histogram(Outcome::ttftMillis)),
                percentiles("whole answer", figures.histogram(Outcome::totalMillis)))
            : List.of(
                percentiles("each gap", figures.gaps()),
                percentiles("mean of a request", figures.histogram(Outcome::tpotMillis)));
    return new SvgPlot(title, "percentile", "ms", series, false);
  }

  private static Series percentiles(String name, Histogram histogram) {
    List<Point> points = new ArrayList<>();
    for (int percentile = 0; percentile <= PERCENTILES; percentile++) {
      double millis = LoadFigures.millis(histogram, percentile);
      if (!Double.isNaN(millis)) {
        points.add(new Point(percentile, millis));
      }
    }
    return new Series(name, points);
  }

  /** A request's tokens are spread evenly over its time: exact enough for a second. */
  private SvgPlot throughput() {
    TreeMap<Long, Double> bySecond = new TreeMap<>();
    for (long second = 0; second <= figures.nanos() / NANOS_PER_SECOND; second++) {
      bySecond.put(second, 0.0);
    }
    for (Outcome outcome : figures.succeeded()) {
      double first = outcome.firstNanos() / NANOS_PER_SECOND;
      double last = Math.max(outcome.lastNanos() / NANOS_PER_SECOND, first + 1e-3);
      for (long second = (long) first; second <= (long) last; second++) {
        double from = Math.max(first, (double) second);
        double share = (Math.min(last, second + 1.0) - from) / (last - first);
        bySecond.merge(second, outcome.outputTokens() * share, Double::sum);
      }
    }
    List<Point> points =
        bySecond.entrySet().stream()
            .map(entry -> new Point(entry.getKey(), entry.getValue()))
            .toList();
    return new SvgPlot(
        "Throughput", "s", "tokens/s", List.of(new Series("output tokens", points)), false);
  }

  private SvgPlot waits() {
    List<Point> points =
        figures.succeeded().stream()
            .sorted(Comparator.comparingLong(Outcome::startNanos))
            .map(one -> new Point(one.startNanos() / NANOS_PER_SECOND, one.ttftMillis()))
            .toList();
    return new SvgPlot(
        "Wait for the first token, by start",
        "s",
        "ms",
        List.of(new Series("request", points)),
        true);
  }
}
