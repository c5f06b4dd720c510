package dev.caravan.worker.collective;

import dev.caravan.proto.wire.ExchangeFrame;
import dev.caravan.proto.wire.ExchangeHeader;
import dev.caravan.proto.wire.ExchangeHeader.Kind;
import dev.caravan.proto.wire.TensorView;
import dev.caravan.worker.tensor.Activations;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** The ranks of one stage as one of them sees them. Confined to the step thread. */
public final class PeerGroup {
  private final ExchangeSettings settings;
  private final int stage;
  private final int rank;
  private final PeerExchange[] peers; // by rank, the own rank left out
  private long startNanos;
  private long bytesSent;

  /**
   * @param rank of this worker
   * @param peers the other ranks of the stage in ascending order
   */
  public PeerGroup(ExchangeSettings settings, int stage, int rank, List<PeerChannel> peers) {
    List<Integer> others =
        IntStream.rangeClosed(0, peers.size()).filter(r -> r != rank).boxed().toList();
    List<Integer> given = peers.stream().map(channel -> channel.peer().rank()).toList();
    if (!given.equals(others)) {
      throw new IllegalArgumentException(
          "channels to ranks %s, rank %d of %d needs %s"
              .formatted(given, rank, peers.size() + 1, others));
    }
    this.settings = settings;
    this.stage = stage;
    this.rank = rank;
    this.peers = peers.stream().map(PeerExchange::new).toArray(PeerExchange[]::new);
  }

  int rank() {
    return rank;
  }

  int size() {
    return peers.length + 1;
  }

  ExchangeSettings settings() {
    return settings;
  }

  long bytesSent() {
    return bytesSent;
  }

  /** Starts the clock: all waits from now on share one deadline. */
  void begin() {
    startNanos = System.nanoTime();
  }

  ExchangeHeader header(Kind kind, long step, int op, TensorView x, int firstRow) {
    return new ExchangeHeader(
        kind,
        settings.payload(),
        stage,
        rank,
        settings.epoch(),
        step,
        op,
        firstRow,
        x.rows(),
        x.columns());
  }

  /** True if the next frame to a rank is sent without waiting. */
  boolean isReady(int toRank) {
    return peer(toRank).isReady();
  }

  /** Sends a frame; returns false if that would mean to wait, and it may not. */
  boolean send(int toRank, ExchangeFrame frame, boolean mayWait) {
    if (!mayWait && !isReady(toRank)) {
      return false;
    }
    peer(toRank).send(frame, startNanos, settings.deadlineNanos());
    bytesSent += frame.length();
    return true;
  }

  /**
   * Returns a rank's frame, or null if it has not come and this may not wait.
   *
   * @param expected the frame that this rank would send in its place
   */
  @Nullable ExchangeFrame receive(int fromRank, ExchangeHeader expected, boolean mayWait) {
    ExchangeHeader header = expected.from(stage, fromRank);
    return mayWait
        ? peer(fromRank).receive(header, startNanos, settings.deadlineNanos())
        : peer(fromRank).poll(header, startNanos);
  }

  void release(int fromRank, ExchangeFrame frame) {
    peer(fromRank).release(frame);
  }

  /** Returns another rank: each rank counts from itself, so that not all flood rank 0 first. */
  int other(int distance) {
    return (rank + distance) % size();
  }

  /** Waits until what was sent has left, see {@link PeerChannel#flush}. */
  void flush() {
    for (int i = 1; i < size(); i++) {
      peer(other(i)).flush(startNanos, settings.deadlineNanos());
    }
  }

  private PeerExchange peer(int otherRank) {
    return peers[otherRank < rank ? otherRank : otherRank - 1];
  }

  static TensorView view(Activations x, int firstRow, int rows) {
    return new TensorView(x.data(), x.offset(firstRow), x.stride(), rows, x.columns());
  }

  /** Returns the columns [start, end) of a view. */
  static TensorView columns(TensorView x, int start, int end) {
    long offset = x.offsetBytes() + (long) start * Float.BYTES;
    return new TensorView(x.data(), offset, x.strideFloats(), x.rows(), end - start);
  }
}
