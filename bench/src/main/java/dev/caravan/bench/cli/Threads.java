package dev.caravan.bench.cli;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import org.jspecify.annotations.Nullable;

/** Reads --threads. */
final class Threads {
  private static final int MAX = 4096;

  private Threads() {}

  /**
   * Returns the option's value, or all cores that this JVM may use.
   *
   * @throws ClusterException INVALID_REQUEST if it is out of bounds
   */
  static int orCores(@Nullable Integer threads) {
    int count = threads == null ? Runtime.getRuntime().availableProcessors() : threads;
    if (count < 1 || count > MAX) {
      throw new ClusterException(
          ErrorCode.INVALID_REQUEST, "--threads %d is not in 1..%d".formatted(count, MAX));
    }
    return count;
  }
}
