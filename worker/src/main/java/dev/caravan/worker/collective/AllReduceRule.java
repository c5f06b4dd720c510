package dev.caravan.worker.collective;

import dev.caravan.proto.wire.PayloadType;

/**
 * When an all-reduce goes directly and when by scatter and gather; the same on all ranks of an
 * epoch.
 *
 * @param directBytes largest payload that a rank sends directly
 */
public record AllReduceRule(long directBytes) {
  /** Up to 32 KiB a message costs its latency, beyond that its bytes. */
  public static final AllReduceRule UNMEASURED = new AllReduceRule(32 << 10);

  static final AllReduceRule ALWAYS_DIRECT = new AllReduceRule(Long.MAX_VALUE);
  static final AllReduceRule ALWAYS_SCATTER = new AllReduceRule(0);

  /**
   * Returns the rule for two lines of cost: where the one of the direct way crosses the other from
   * below. Latencies are nanoseconds, the costs of a byte nanoseconds too.
   */
  static AllReduceRule between(Cost direct, Cost scatter) {
    double savedPerByte = direct.nanosPerByte() - scatter.nanosPerByte();
    double lostPerMessage = scatter.latencyNanos() - direct.latencyNanos();
    if (savedPerByte <= 0) {
      return lostPerMessage >= 0 ? ALWAYS_DIRECT : UNMEASURED;
    }
    return new AllReduceRule((long) Math.max(0, lostPerMessage / savedPerByte));
  }

  /**
   * What an all-reduce costs by one way: its latency and so much for each byte of a rank's payload.
   */
  record Cost(double latencyNanos, double nanosPerByte) {

    /** Returns the line through two measurements. */
    static Cost through(long smallBytes, long smallNanos, long largeBytes, long largeNanos) {
      double nanosPerByte =
          Math.max(0, (double) (largeNanos - smallNanos) / (largeBytes - smallBytes));
      return new Cost(Math.max(0, smallNanos - nanosPerByte * smallBytes), nanosPerByte);
    }
  }

  /**
   * Decides for one all-reduce.
   *
   * <p>In a lossy payload type the two ways round differently, so there the choice depends on the
   * row's width alone, never on the rows: a row must not depend on its batch.
   */
  boolean isDirect(PayloadType payload, int columns, int rows) {
    long rowBytes = payload.rowBytes(columns);
    return (payload == PayloadType.F32 ? rowBytes * rows : rowBytes) <= directBytes;
  }
}
