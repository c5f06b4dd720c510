package dev.caravan.coordinator.cli;

import dev.caravan.coordinator.generate.StepTimes;
import dev.caravan.model.step.StepResult.WorkerTimes;
import java.io.PrintStream;
import java.util.Locale;

/** Shows where the time of the steps went, worker by worker. */
final class StepTimesReport {
  private static final double NANOS_PER_MILLI = 1e6;

  private StepTimesReport() {}

  /** Prints the median and the sum of all steps; the median is mostly that of decoding. */
  static void print(StepTimes times, PrintStream out) {
    out.printf(
        Locale.ROOT, "%d steps; milliseconds of the median step (of all steps):%n", times.steps());
    for (int worker = 0; worker < times.totals().size(); worker++) {
      WorkerTimes median = times.medians().get(worker);
      WorkerTimes total = times.totals().get(worker);
      out.printf(
          Locale.ROOT,
          "  worker %d: compute %.3f (%.0f), sync %.3f (%.0f), of it waiting %.3f (%.0f); %d bytes sent%n",
          worker,
          median.computeNanos() / NANOS_PER_MILLI,
          total.computeNanos() / NANOS_PER_MILLI,
          median.syncNanos() / NANOS_PER_MILLI,
          total.syncNanos() / NANOS_PER_MILLI,
          median.waitNanos() / NANOS_PER_MILLI,
          total.waitNanos() / NANOS_PER_MILLI,
          median.syncBytes());
    }
  }
}
