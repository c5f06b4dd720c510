package dev.caravan.bench.serve;

import java.util.OptionalDouble;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a server said of itself at one moment; NaN where it said nothing.
 *
 * @param running generations
 * @param waiting generations
 * @param kvUsage share of the KV blocks that generations hold
 * @param heapBytes used, garbage included
 * @param directBytes of direct buffers
 * @param residentBytes of the process
 * @param threads platform threads
 */
record ServerSample(
    double running,
    double waiting,
    double kvUsage,
    double heapBytes,
    double directBytes,
    double residentBytes,
    double threads) {

  /** Reads metrics in the Prometheus text format. */
  static ServerSample parse(String metrics) {
    return new ServerSample(
        sum(metrics, "vllm:num_requests_running", ""),
        sum(metrics, "vllm:num_requests_waiting", ""),
        sum(metrics, "vllm:kv_cache_usage_perc", ""),
        sum(metrics, "jvm_memory_used_bytes", "area=\"heap\""),
        sum(metrics, "jvm_buffer_pool_used_bytes", "pool=\"direct\""),
        sum(metrics, "process_resident_memory_bytes", ""),
        sum(metrics, "jvm_threads_current", ""));
  }

  boolean isIdle() {
    return running == 0 && waiting == 0;
  }

  /** Adds up the samples of a family that have a label. */
  private static double sum(String metrics, String name, String label) {
    Pattern sample =
        Pattern.compile(
            "^%s(?:\\{([^}]*)})? (\\S+)$".formatted(Pattern.quote(name)), Pattern.MULTILINE);
    Matcher found = sample.matcher(metrics);
    OptionalDouble sum = OptionalDouble.empty();
    while (found.find()) {
      String labels = found.group(1) == null ? "" : found.group(1);
      if (labels.contains(label)) {
        sum = OptionalDouble.of(sum.orElse(0) + Double.parseDouble(found.group(2)));
      }
    }
    return sum.orElse(Double.NaN);
  }
}
