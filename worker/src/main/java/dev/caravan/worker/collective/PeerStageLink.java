package dev.caravan.worker.collective;

import dev.caravan.proto.wire.ExchangeFrame;
import dev.caravan.proto.wire.ExchangeHeader;
import dev.caravan.proto.wire.ExchangeHeader.Kind;
import dev.caravan.proto.wire.TensorView;
import dev.caravan.worker.tensor.Activations;
import org.jspecify.annotations.Nullable;

/** Hands hidden states over through channels to the neighbouring stages. */
public final class PeerStageLink implements StageLink {
  private final ExchangeSettings settings;
  private final int stage;
  private final int rank;
  private final @Nullable PeerExchange previous;
  private final @Nullable PeerExchange next;
  private final ExchangeFrame outgoing = new ExchangeFrame(0);
  private long bytesSent;

  /**
   * @param stage of this worker
   * @param rank of this worker
   * @param previous the same rank of the stage before; null on the first stage
   * @param next the same rank of the stage after; null on the last stage
   */
  public PeerStageLink(
      ExchangeSettings settings,
      int stage,
      int rank,
      @Nullable PeerChannel previous,
      @Nullable PeerChannel next) {
    this.settings = settings;
    this.stage = stage;
    this.rank = rank;
    this.previous = previous == null ? null : new PeerExchange(previous);
    this.next = next == null ? null : new PeerExchange(next);
  }

  @Override
  public void receive(long step, Activations x, int rows) {
    PeerExchange from = previous;
    if (from == null) {
      throw new IllegalStateException("stage %d has no stage before it".formatted(stage));
    }
    long startNanos = System.nanoTime();
    int rowsPerFrame = settings.rowsPerFrame(x.columns());
    for (int row = 0; row < rows; row += rowsPerFrame) {
      TensorView part = PeerGroup.view(x, row, Math.min(rowsPerFrame, rows - row));
      ExchangeHeader expected = header(step, part, row).from(stage - 1, rank);
      ExchangeFrame frame = from.receive(expected, startNanos, settings.deadlineNanos());
      frame.decode(part);
      from.release(frame);
    }
  }

  @Override
  public void send(long step, Activations x, int rows) {
    PeerExchange to = next;
    if (to == null) {
      throw new IllegalStateException("stage %d has no stage after it".formatted(stage));
    }
    long startNanos = System.nanoTime();
    int rowsPerFrame = settings.rowsPerFrame(x.columns());
    for (int row = 0; row < rows; row += rowsPerFrame) {
      TensorView part = PeerGroup.view(x, row, Math.min(rowsPerFrame, rows - row));
      outgoing.encode(header(step, part, row), part);
      to.send(outgoing, startNanos, settings.deadlineNanos());
      bytesSent += outgoing.length();
    }
    to.flush(startNanos, settings.deadlineNanos());
  }

  @Override
  public long bytesSent() {
    return bytesSent;
  }

  private ExchangeHeader header(long step, TensorView x, int firstRow) {
    return new ExchangeHeader(
        Kind.HANDOVER,
        settings.payload(),
        stage,
        rank,
        settings.epoch(),
        step,
        0,
        firstRow,
        x.rows(),
        x.columns());
  }
}
