package dev.caravan.worker.collective;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.proto.wire.ExchangeFrame;
import dev.caravan.proto.wire.ExchangeHeader;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Exchanges with one peer of which both sides know what comes next. Confined to the step thread.
 */
final class PeerExchange {
  private final PeerChannel channel;

  PeerExchange(PeerChannel channel) {
    this.channel = channel;
  }

  /** True if {@link #send} does not wait, see {@link PeerChannel#isReady}. */
  boolean isReady() {
    return channel.isReady();
  }

  /**
   * Sends a frame.
   *
   * @param startNanos when the operation began
   * @param deadlineNanos how long the whole operation may take
   * @throws ClusterException WORKER_LOST if the peer does not take it in time
   */
  void send(ExchangeFrame frame, long startNanos, long deadlineNanos) {
    try {
      channel.send(frame, left(startNanos, deadlineNanos));
    } catch (ClusterException e) {
      throw explain(e, describe(frame.header()), startNanos);
    }
  }

  /** Waits until what was sent has left, see {@link PeerChannel#flush}. */
  void flush(long startNanos, long deadlineNanos) {
    try {
      channel.flush(left(startNanos, deadlineNanos));
    } catch (ClusterException e) {
      throw explain(e, "sending", startNanos);
    }
  }

  /**
   * Waits for the frame that must come next; frames of earlier epochs are dropped.
   *
   * @throws ClusterException WORKER_LOST if it does not come in time, STALE_EPOCH if the peer is in
   *     a later epoch, INTERNAL if it is another frame than the expected one
   */
  ExchangeFrame receive(ExchangeHeader expected, long startNanos, long deadlineNanos) {
    ExchangeFrame frame = next(expected, startNanos, deadlineNanos);
    if (frame == null) {
      throw new ClusterException(
          ErrorCode.WORKER_LOST,
          "%s sent nothing for %s within %d ms"
              .formatted(channel.peer(), describe(expected), millisSince(startNanos)));
    }
    return frame;
  }

  /** As {@link #receive}, but returns null if the frame has not come yet. */
  @Nullable ExchangeFrame poll(ExchangeHeader expected, long startNanos) {
    return next(expected, startNanos, 0);
  }

  private @Nullable ExchangeFrame next(
      ExchangeHeader expected, long startNanos, long deadlineNanos) {
    while (true) {
      ExchangeFrame frame;
      try {
        frame = channel.poll(left(startNanos, deadlineNanos));
      } catch (ClusterException e) {
        throw explain(e, describe(expected), startNanos);
      }
      if (frame == null || frame.header().equals(expected)) {
        return frame;
      }
      ExchangeHeader header = frame.header();
      channel.release(frame);
      if (header.epoch() >= expected.epoch()) {
        throw unexpected(header, expected);
      }
    }
  }

  void release(ExchangeFrame frame) {
    channel.release(frame);
  }

  private ClusterException unexpected(ExchangeHeader header, ExchangeHeader expected) {
    if (header.epoch() > expected.epoch()) {
      return new ClusterException(
          ErrorCode.STALE_EPOCH,
          "%s is in epoch %d, this worker still in %d"
              .formatted(channel.peer(), header.epoch(), expected.epoch()));
    }
    return new ClusterException(
        ErrorCode.INTERNAL,
        "%s sent %s where %s was expected".formatted(channel.peer(), header, expected));
  }

  private ClusterException explain(ClusterException cause, String what, long startNanos) {
    return new ClusterException(
        cause.code(),
        "%s failed during %s after %d ms: %s"
            .formatted(channel.peer(), what, millisSince(startNanos), cause.getMessage()),
        cause);
  }

  private static String describe(ExchangeHeader header) {
    return "%s of epoch %d step %d op %d"
        .formatted(header.kind(), header.epoch(), header.step(), header.op());
  }

  private static long left(long startNanos, long deadlineNanos) {
    return Math.max(0, deadlineNanos - (System.nanoTime() - startNanos));
  }

  private static long millisSince(long startNanos) {
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNanos);
  }
}
