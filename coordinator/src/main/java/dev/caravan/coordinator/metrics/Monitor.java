package dev.caravan.coordinator.metrics;

import dev.caravan.coordinator.generate.Engine;

/**
 * All that is known about a serving cluster. Thread-safe.
 *
 * @param cluster what is served, and on whom
 * @param engine what it does now
 * @param counts what it did so far
 */
public record Monitor(ServedCluster cluster, Engine engine, EngineCounts counts) {

  /** Returns the metrics in the Prometheus text format 0.0.4. */
  public String metrics() {
    return new MetricsReport(this).text();
  }
}
