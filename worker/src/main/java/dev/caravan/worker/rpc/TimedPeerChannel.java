package dev.caravan.worker.rpc;

import dev.caravan.proto.wire.ExchangeFrame;
import dev.caravan.worker.collective.PeerChannel;
import dev.caravan.worker.collective.PeerId;
import org.jspecify.annotations.Nullable;

/** Measures how long the step thread waits for a peer's frames. Confined to the step thread. */
final class TimedPeerChannel implements PeerChannel {
  private final PeerChannel channel;
  private final Waits waits;

  /** The waiting times of all channels of a worker. Confined to the step thread. */
  static final class Waits {
    private long nanos;

    /** Time waited since the start, in nanoseconds. */
    long nanos() {
      return nanos;
    }
  }

  private TimedPeerChannel(PeerChannel channel, Waits waits) {
    this.channel = channel;
    this.waits = waits;
  }

  /** Returns the same peers, with all waits measured. */
  static ConnectedPeers over(ConnectedPeers peers, Waits waits) {
    return new ConnectedPeers(
        peers.stage(),
        peers.rank(),
        peers.ranks().stream().<PeerChannel>map(c -> new TimedPeerChannel(c, waits)).toList(),
        over(peers.previous(), waits),
        over(peers.next(), waits));
  }

  private static @Nullable PeerChannel over(@Nullable PeerChannel channel, Waits waits) {
    return channel == null ? null : new TimedPeerChannel(channel, waits);
  }

  @Override
  public PeerId peer() {
    return channel.peer();
  }

  @Override
  public boolean isReady() {
    return channel.isReady();
  }

  @Override
  public void send(ExchangeFrame frame, long timeoutNanos) {
    channel.send(frame, timeoutNanos);
  }

  @Override
  public void flush(long timeoutNanos) {
    channel.flush(timeoutNanos);
  }

  @Override
  public @Nullable ExchangeFrame poll(long timeoutNanos) {
    long start = System.nanoTime();
    try {
      return channel.poll(timeoutNanos);
    } finally {
      waits.nanos += System.nanoTime() - start;
    }
  }

  @Override
  public void release(ExchangeFrame frame) {
    channel.release(frame);
  }

  @Override
  public void close() {
    channel.close();
  }
}
