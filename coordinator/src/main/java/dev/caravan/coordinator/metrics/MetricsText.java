package dev.caravan.coordinator.metrics;

import java.util.List;
import java.util.Locale;

/**
 * Writes metrics in the Prometheus text format 0.0.4. Confined to one thread.
 *
 * <p>Written here because client libraries turn the colon of vLLM's names into an underscore.
 */
final class MetricsText {
  private final StringBuilder text = new StringBuilder(16 * 1024);
  private String family = "";

  /** What kind of numbers a family holds. */
  enum Kind {
    COUNTER,
    GAUGE,
    HISTOGRAM,
    SUMMARY
  }

  /** Begins a family; the samples that follow belong to it. */
  MetricsText family(String name, Kind kind, String help) {
    family = name;
    text.append("# HELP ").append(name).append(' ').append(help).append('\n');
    text.append("# TYPE ").append(name).append(' ');
    text.append(kind.name().toLowerCase(Locale.ROOT)).append('\n');
    return this;
  }

  MetricsText sample(Labels labels, long value) {
    return line("", labels, Long.toString(value));
  }

  MetricsText sample(Labels labels, double value) {
    return line("", labels, Double.toString(value));
  }

  /** Writes the sum and the number of what was observed. */
  MetricsText summary(Labels labels, double sum, long count) {
    return line("_sum", labels, Double.toString(sum)).line("_count", labels, Long.toString(count));
  }

  MetricsText histogram(Labels labels, Histogram.Counts counts) {
    List<Double> bounds = counts.bounds();
    for (int i = 0; i < bounds.size(); i++) {
      Labels bucket = labels.and("le", Double.toString(bounds.get(i)));
      line("_bucket", bucket, Long.toString(counts.cumulative().get(i)));
    }
    line("_bucket", labels.and("le", "+Inf"), Long.toString(counts.count()));
    return summary(labels, counts.sum(), counts.count());
  }

  private MetricsText line(String suffix, Labels labels, String value) {
    text.append(family).append(suffix);
    if (!labels.text().isEmpty()) {
      text.append('{').append(labels.text()).append('}');
    }
    text.append(' ').append(value).append('\n');
    return this;
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
