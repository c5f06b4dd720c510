package dev.caravan.worker.collective;

import dev.caravan.proto.wire.PayloadType;

/**
 * How the workers of one epoch exchange activations; the same on all of them.
 *
 * @param epoch incarnation of the cluster
 * @param payload how values travel
 * @param deadlineMillis most that one all-reduce or hand-over may wait for a peer
 */
public record ExchangeSettings(int epoch, PayloadType payload, long deadlineMillis) {
  /** Keeps a frame inside the transport's window of 8 MiB, so that its sender never stalls. */
  private static final long MAX_PAYLOAD_BYTES = 4 << 20;

  public ExchangeSettings {
    if (deadlineMillis < 1) {
      throw new IllegalArgumentException("deadline of %d ms".formatted(deadlineMillis));
    }
  }

  long deadlineNanos() {
    return deadlineMillis * 1_000_000;
  }

  /** Rows of that width that go into one frame: wide batches are exchanged in several. */
  int rowsPerFrame(int columns) {
    return (int) Math.clamp(MAX_PAYLOAD_BYTES / payload.rowBytes(columns), 1, Integer.MAX_VALUE);
  }
}
