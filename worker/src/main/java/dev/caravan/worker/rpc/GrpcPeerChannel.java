package dev.caravan.worker.rpc;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.proto.wire.ExchangeFrame;
import dev.caravan.worker.collective.PeerChannel;
import dev.caravan.worker.collective.PeerId;
import org.jspecify.annotations.Nullable;

/** A peer at the other end of an exchange stream, after both said hello. */
final class GrpcPeerChannel implements PeerChannel {
  private final PeerId peer;
  private final ExchangeStream stream;
  private final Runnable onClose;

  /**
   * @param onClose releases what the stream needed; runs on every close
   */
  GrpcPeerChannel(PeerId peer, ExchangeStream stream, Runnable onClose) {
    this.peer = peer;
    this.stream = stream;
    this.onClose = onClose;
  }

  @Override
  public PeerId peer() {
    return peer;
  }

  @Override
  public boolean isReady() {
    return stream.isReady();
  }

  @Override
  public void send(ExchangeFrame frame, long timeoutNanos) {
    stream.send(frame, timeoutNanos);
  }

  @Override
  public void flush(long timeoutNanos) {
    stream.flush(timeoutNanos);
  }

  @Override
  public @Nullable ExchangeFrame poll(long timeoutNanos) {
    return stream.poll(timeoutNanos);
  }

  @Override
  public void release(ExchangeFrame frame) {
    stream.release(frame);
  }

  @Override
  public void close() {
    stream.fail(
        new ClusterException(ErrorCode.WORKER_LOST, "the channel to %s is closed".formatted(peer)));
    onClose.run();
  }
}
