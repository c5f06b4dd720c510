package dev.caravan.bench.serve;

import java.util.Map;
import java.util.TreeMap;

/**
 * What came of the requests of a soak.
 *
 * @param answered completely
 * @param hungUp on, by us, before the answer was complete
 * @param refused malformed ones, as they should be
 * @param overloaded told to come back
 * @param failures all others, by what went wrong
 */
public record SoakCounts(
    long answered, long hungUp, long refused, long overloaded, Map<String, Long> failures) {

  public SoakCounts {
    failures = Map.copyOf(failures);
  }

  long failed() {
    return failures.values().stream().mapToLong(Long::longValue).sum();
  }

  /** Says it in a line. */
  public String describe() {
    return "%d answered, %d hung up on, %d refused as they should be, %d told to come back, %d failed"
        .formatted(answered, hungUp, refused, overloaded, failed());
  }

  /** Failures in the order of their texts. */
  public Map<String, Long> sortedFailures() {
    return new TreeMap<>(failures);
  }
}
