package dev.caravan.worker.collective;

import dev.caravan.proto.wire.ExchangeFrame;
import dev.caravan.proto.wire.ExchangeHeader;
import dev.caravan.proto.wire.ExchangeHeader.Kind;
import dev.caravan.proto.wire.PayloadType;
import dev.caravan.proto.wire.TensorView;
import dev.caravan.worker.tensor.Activations;
import java.util.ArrayDeque;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * Sums over the ranks of a group by whichever way its rule says, in frames of a bounded size, one
 * frame after the other and one sum after the other.
 *
 * <p>Confined to the step thread.
 */
final class PeerAllReduce implements Collective {
  private static final long NO_STEP = -1;

  private final PeerGroup group;
  private final AllReduceRule rule;
  private final ExchangeFrame own = new ExchangeFrame(0);
  private final ExchangeFrame outgoing = new ExchangeFrame(0);

  /** Those that are not there yet, in the order in which they were started. */
  private final Queue<Sum> moving = new ArrayDeque<>(MAX_IN_FLIGHT);

  /** Those that are there and not finished: they were started before the others. */
  private int there;

  /** The frame under way, of the first of those that move. */
  private @Nullable SumExchange frame;

  /** The row after it. */
  private int nextRow;

  /** What {@link #finish} has to report. */
  private @Nullable RuntimeException failure;

  private long latestStep = NO_STEP;

  private record Sum(long step, int op, Activations x, int rows) {}

  PeerAllReduce(PeerGroup group, AllReduceRule rule) {
    this.group = group;
    this.rule = rule;
  }

  @Override
  public int rank() {
    return group.rank();
  }

  @Override
  public int size() {
    return group.size();
  }

  @Override
  public long bytesSent() {
    return group.bytesSent();
  }

  @Override
  public void start(long step, int op, Activations x, int rows) {
    if (step != latestStep) {
      giveUp();
      latestStep = step;
    }
    if (there + moving.size() == MAX_IN_FLIGHT) {
      throw new IllegalStateException(
          "op %d of step %d: %d are in flight already".formatted(op, step, MAX_IN_FLIGHT));
    }
    group.begin();
    moving.add(new Sum(step, op, x, rows));
    progress();
  }

  @Override
  public void finish() {
    if (there + moving.size() == 0) {
      throw new IllegalStateException("nothing is in flight");
    }
    group.begin();
    try {
      if (failure != null) {
        throw failure;
      }
      if (there == 0) {
        advance(true);
      }
      there--;
      if (there + moving.size() == 0) {
        group.flush();
      }
    } catch (RuntimeException e) {
      giveUp();
      throw e;
    }
    progress();
  }

  @Override
  public void progress() {
    try {
      boolean goesOn = failure == null;
      while (goesOn && !moving.isEmpty()) {
        goesOn = advance(false);
      }
    } catch (RuntimeException e) {
      failure = e;
    }
  }

  /** Moves the first of those that move; returns true if it is there now. */
  private boolean advance(boolean mayWait) {
    Sum sum = moving.element();
    while (true) {
      SumExchange current = frame;
      if (current == null) {
        if (nextRow == sum.rows()) {
          moving.remove();
          nextRow = 0;
          there++;
          return true;
        }
        current = nextFrame(sum);
        frame = current;
      }
      if (!current.advance(mayWait)) {
        return false;
      }
      frame = null;
    }
  }

  private SumExchange nextFrame(Sum sum) {
    PayloadType payload = group.settings().payload();
    int columns = sum.x().columns();
    int firstRow = nextRow;
    nextRow = (int) Math.min((long) firstRow + group.settings().rowsPerFrame(columns), sum.rows());
    TensorView part = PeerGroup.view(sum.x(), firstRow, nextRow - firstRow);
    boolean isDirect = rule.isDirect(payload, columns, sum.rows());
    Kind kind = isDirect ? Kind.DIRECT : Kind.SCATTER;
    ExchangeHeader header = group.header(kind, sum.step(), sum.op(), part, firstRow);
    return isDirect
        ? new DirectExchange(group, own, header, part)
        : new ScatterExchange(group, own, outgoing, header, part);
  }

  private void giveUp() {
    moving.clear();
    there = 0;
    frame = null;
    nextRow = 0;
    failure = null;
  }
}
