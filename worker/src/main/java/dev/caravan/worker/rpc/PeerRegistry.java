package dev.caravan.worker.rpc;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.proto.wire.ExchangeFrame;
import dev.caravan.proto.wire.ExchangeHeader;
import dev.caravan.proto.wire.ExchangeHeader.Kind;
import dev.caravan.worker.collective.PeerChannel;
import dev.caravan.worker.collective.PeerId;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Streams of peers that said hello, until the loader asks for them. Thread-safe.
 *
 * <p>A peer may be faster than this worker's loader: its stream waits here, unanswered.
 */
public final class PeerRegistry implements AutoCloseable {
  /** Far more than the neighbours of one worker; bounds what strangers can make it hold. */
  private static final int MAX_WAITING = 1024;

  private record Dialler(int epoch, int stage, int rank) {}

  private final Map<Dialler, ExchangeStream> waiting = new HashMap<>();
  private int epoch = Integer.MIN_VALUE;
  private boolean closed;

  /** Drops what earlier epochs left behind and refuses their streams from now on. */
  public synchronized void enterEpoch(int newEpoch) {
    epoch = Math.max(epoch, newEpoch);
    waiting
        .entrySet()
        .removeIf(entry -> {
          boolean stale = entry.getKey().epoch() < epoch;
          if (stale) {
            entry.getValue().fail(stale(entry.getKey().epoch()));
          }
          return stale;
        });
    notifyAll();
  }

  /**
   * Checks that no later epoch was entered.
   *
   * @throws ClusterException STALE_EPOCH if one was
   */
  synchronized void checkCurrent(int current) {
    if (current < epoch) {
      throw stale(current);
    }
  }

  /** Takes a stream whose first frame has that header, or refuses it. */
  void offer(ExchangeHeader hello, ExchangeStream stream) {
    ClusterException refusal = tryOffer(hello, stream);
    if (refusal != null) {
      stream.fail(refusal);
    }
  }

  private synchronized @Nullable ClusterException tryOffer(
      ExchangeHeader hello, ExchangeStream stream) {
    if (closed) {
      return new ClusterException(ErrorCode.CANCELLED, "this worker is stopping");
    }
    if (hello.kind() != Kind.HELLO) {
      return new ClusterException(
          ErrorCode.INTERNAL, "the first frame of a stream is %s, not a hello".formatted(hello));
    }
    if (hello.epoch() < epoch) {
      return stale(hello.epoch());
    }
    Dialler dialler = new Dialler(hello.epoch(), hello.stage(), hello.rank());
    if (waiting.size() >= MAX_WAITING && !waiting.containsKey(dialler)) {
      return new ClusterException(
          ErrorCode.OVERLOADED, "%d streams are waiting already".formatted(MAX_WAITING));
    }
    ExchangeStream replaced = waiting.put(dialler, stream);
    notifyAll();
    if (replaced != null) {
      replaced.fail(new ClusterException(ErrorCode.WORKER_LOST, "the peer dialled again"));
    }
    return null;
  }

  /**
   * Waits until a peer has dialled, and answers its hello.
   *
   * @param self the hello of this worker
   * @param peer who is expected
   * @throws ClusterException WORKER_LOST if it does not dial in time
   */
  PeerChannel await(ExchangeHeader self, PeerId peer, long deadlineMillis) {
    ExchangeStream stream =
        take(new Dialler(self.epoch(), peer.stage(), peer.rank()), peer, deadlineMillis);
    ExchangeFrame hello = new ExchangeFrame(0);
    hello.start(self);
    stream.sendHello(hello);
    return new GrpcPeerChannel(peer, stream, () -> {});
  }

  private synchronized ExchangeStream take(Dialler dialler, PeerId peer, long deadlineMillis) {
    long start = System.nanoTime();
    while (true) {
      ExchangeStream stream = waiting.remove(dialler);
      if (stream != null && !stream.isBroken()) {
        return stream;
      }
      long waitedMillis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
      if (closed) {
        throw new ClusterException(ErrorCode.CANCELLED, "this worker is stopping");
      }
      checkCurrent(dialler.epoch());
      if (waitedMillis >= deadlineMillis) {
        throw new ClusterException(
            ErrorCode.WORKER_LOST,
            "%s did not dial for epoch %d within %d ms"
                .formatted(peer, dialler.epoch(), waitedMillis));
      }
      try {
        wait(deadlineMillis - waitedMillis);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new ClusterException(
            ErrorCode.CANCELLED, "interrupted while waiting for %s".formatted(peer), e);
      }
    }
  }

  private ClusterException stale(int staleEpoch) {
    return new ClusterException(
        ErrorCode.STALE_EPOCH,
        "epoch %d is over, this worker is in epoch %d".formatted(staleEpoch, epoch));
  }

  @Override
  public synchronized void close() {
    closed = true;
    for (ExchangeStream stream : waiting.values()) {
      stream.fail(new ClusterException(ErrorCode.CANCELLED, "this worker is stopping"));
    }
    waiting.clear();
    notifyAll();
  }
}
