package dev.caravan.worker.collective;

import dev.caravan.proto.wire.ExchangeFrame;
import org.jspecify.annotations.Nullable;

/**
 * Frames to and from one peer, in order. One thread sends and receives; any thread may close.
 *
 * <p>A channel that broke stays broken: every later call fails with the same cause.
 */
public interface PeerChannel extends AutoCloseable {

  PeerId peer();

  /** True if {@link #send} would not wait now: its transport takes a frame, or it fails at once. */
  boolean isReady();

  /**
   * Sends a frame; it is copied, so the caller may reuse it at once.
   *
   * @param timeoutNanos most to wait until the transport takes it
   * @throws dev.caravan.model.error.ClusterException WORKER_LOST if the peer is gone or its
   *     transport takes nothing for that long
   */
  void send(ExchangeFrame frame, long timeoutNanos);

  /**
   * Waits until all that was sent has left, where it leaves only while this thread waits.
   *
   * @throws dev.caravan.model.error.ClusterException WORKER_LOST as for {@link #send}
   */
  default void flush(long timeoutNanos) {}

  /**
   * Waits for the next frame, which the caller gives back with {@link #release}.
   *
   * @return the frame, or null if none came in time
   * @throws dev.caravan.model.error.ClusterException WORKER_LOST if the peer is gone; INTERNAL or
   *     INCOMPATIBLE if it sent something that is no frame
   */
  @Nullable ExchangeFrame poll(long timeoutNanos);

  /** Takes back a frame that {@link #poll} returned; the caller must not touch it any more. */
  void release(ExchangeFrame frame);

  /** Ends the exchange; a waiting thread fails at once. Idempotent. */
  @Override
  void close();
}
