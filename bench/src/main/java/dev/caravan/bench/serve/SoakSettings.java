package dev.caravan.bench.serve;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.time.Duration;

/**
 * A long mixed load.
 *
 * @param duration after that no request is started
 * @param concurrency so many users, each sends its next request after an answer
 * @param seed of all random numbers
 */
public record SoakSettings(
    Duration duration,
    int concurrency,
    LengthDistribution promptTokens,
    LengthDistribution outputTokens,
    long seed) {
  private static final int MAX_SECONDS = 86_400;
  private static final int MAX_CONCURRENCY = 4096;

  /**
   * Checks the ranges.
   *
   * @throws ClusterException INVALID_REQUEST that names the option and its range
   */
  public SoakSettings {
    check("--duration", duration.toSeconds(), 1, MAX_SECONDS);
    check("--concurrency", concurrency, 1, MAX_CONCURRENCY);
  }

  private static void check(String option, long value, long min, long max) {
    if (value < min || value > max) {
      throw new ClusterException(
          ErrorCode.INVALID_REQUEST, "%s %d is not in %d..%d".formatted(option, value, min, max));
    }
  }
}
