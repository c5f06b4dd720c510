package dev.caravan.coordinator.cluster;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Counts the nanoseconds during which this process ran. Thread-safe.
 *
 * <p>A process that was stopped, or whose machine was, cannot tell who was silent meanwhile: of a
 * gap between two readings one second counts. It must hence be read several times a second.
 */
public final class AwakeClock implements LongSupplier {
  private static final long LONGEST_GAP_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final LongSupplier source;
  private long lastNanos;
  private long awakeNanos;

  /**
   * @param source monotonic clock in nanoseconds that goes on while the process is stopped
   */
  public AwakeClock(LongSupplier source) {
    this.source = source;
    this.lastNanos = source.getAsLong();
  }

  @Override
  public synchronized long getAsLong() {
    long now = source.getAsLong();
    awakeNanos += Math.min(now - lastNanos, LONGEST_GAP_NANOS);
    lastNanos = now;
    return awakeNanos;
  }
}
