package dev.caravan.worker.collective;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.proto.wire.ExchangeFrame;
import dev.caravan.proto.wire.FramePool;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** One end of a channel between two workers that live in the same JVM. */
public final class InProcessPeerChannel implements PeerChannel {
  private static final int INBOX_FRAMES = 16;
  private static final long POOL_BYTES = 64L << 20;
  private static final long FULL_PARK_NANOS = TimeUnit.MICROSECONDS.toNanos(50);

  /**
   * The two ends of a channel.
   *
   * @param toSecond held by the first worker
   * @param toFirst held by the second worker
   */
  public record Pair(InProcessPeerChannel toSecond, InProcessPeerChannel toFirst) {}

  private final PeerId peer;
  private final FrameInbox outbound;
  private final FrameInbox inbound;
  private final FramePool pool;

  private InProcessPeerChannel(
      PeerId peer, FrameInbox outbound, FrameInbox inbound, FramePool pool) {
    this.peer = peer;
    this.outbound = outbound;
    this.inbound = inbound;
    this.pool = pool;
  }

  /** Connects two workers. */
  public static Pair connect(PeerId first, PeerId second) {
    FrameInbox toSecond = new FrameInbox(INBOX_FRAMES, IoDriver.BACKGROUND);
    FrameInbox toFirst = new FrameInbox(INBOX_FRAMES, IoDriver.BACKGROUND);
    FramePool pool = new FramePool(POOL_BYTES);
    return new Pair(
        new InProcessPeerChannel(second, toSecond, toFirst, pool),
        new InProcessPeerChannel(first, toFirst, toSecond, pool));
  }

  /**
   * Connects the ranks of one stage with each other.
   *
   * @return for each rank its group
   */
  public static List<PeerGroup> groups(ExchangeSettings settings, int stage, int ranks) {
    List<List<PeerChannel>> channels = new ArrayList<>();
    for (int rank = 0; rank < ranks; rank++) {
      channels.add(new ArrayList<>());
    }
    // Ascending pairs put every rank's channels into ascending order of the peer.
    for (int first = 0; first < ranks; first++) {
      for (int second = first + 1; second < ranks; second++) {
        Pair pair = connect(id(stage, first), id(stage, second));
        channels.get(first).add(pair.toSecond());
        channels.get(second).add(pair.toFirst());
      }
    }
    List<PeerGroup> groups = new ArrayList<>();
    for (int rank = 0; rank < ranks; rank++) {
      groups.add(new PeerGroup(settings, stage, rank, channels.get(rank)));
    }
    return groups;
  }

  private static PeerId id(int stage, int rank) {
    return new PeerId(stage, rank, "in-process");
  }

  @Override
  public PeerId peer() {
    return peer;
  }

  @Override
  public boolean isReady() {
    return outbound.failure() != null || outbound.hasRoom();
  }

  @Override
  public void send(ExchangeFrame frame, long timeoutNanos) {
    ExchangeFrame copy = pool.take(frame.length());
    copy.copyFrom(frame);
    long start = System.nanoTime();
    while (true) {
      ClusterException failure = outbound.failure();
      if (failure != null) {
        throw failure;
      }
      if (outbound.offer(copy)) {
        return;
      }
      if (System.nanoTime() - start >= timeoutNanos) {
        throw new ClusterException(
            ErrorCode.WORKER_LOST,
            "%s has not taken the last %d frames".formatted(peer, INBOX_FRAMES));
      }
      LockSupport.parkNanos(this, FULL_PARK_NANOS);
    }
  }

  @Override
  public @Nullable ExchangeFrame poll(long timeoutNanos) {
    return inbound.poll(timeoutNanos);
  }

  @Override
  public void release(ExchangeFrame frame) {
    pool.giveBack(frame);
  }

  @Override
  public void close() {
    ClusterException closed =
        new ClusterException(ErrorCode.WORKER_LOST, "the channel to %s is closed".formatted(peer));
    inbound.fail(closed);
    outbound.fail(
        new ClusterException(ErrorCode.WORKER_LOST, "the peer closed its end of the channel"));
  }
}
