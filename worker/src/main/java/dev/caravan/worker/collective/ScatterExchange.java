package dev.caravan.worker.collective;

import dev.caravan.proto.wire.ExchangeFrame;
import dev.caravan.proto.wire.ExchangeHeader;
import dev.caravan.proto.wire.ExchangeHeader.Kind;
import dev.caravan.proto.wire.PayloadType;
import dev.caravan.proto.wire.TensorView;

/**
 * Reduce-scatter, then all-gather: each rank adds up one run of columns and sends the sums to the
 * others. Two hops, 2(n-1)/n times the bytes. In f32 the same bits as {@link DirectExchange}.
 */
final class ScatterExchange implements SumExchange {
  private final PeerGroup group;
  private final ExchangeHeader header;
  private final TensorView x;
  private final TensorView mine;
  private final ExchangeFrame outgoing;
  private final RankOrderSum sum;
  private int scattered;
  private boolean summed;
  private int gathered;
  private int received;

  /**
   * @param own gets the partial sums of this rank's columns, and is in use until the exchange ends
   * @param outgoing likewise, for what is sent
   */
  ScatterExchange(
      PeerGroup group,
      ExchangeFrame own,
      ExchangeFrame outgoing,
      ExchangeHeader header,
      TensorView x) {
    this.group = group;
    this.header = header;
    this.x = x;
    this.mine = chunk(group.rank());
    this.outgoing = outgoing;
    ExchangeHeader expected = header.of(Kind.SCATTER, mine.columns());
    this.sum = new RankOrderSum(group, expected, own, mine);
    own.encode(expected, mine);
  }

  @Override
  public boolean advance(boolean mayWait) {
    return scatter(mayWait)
        && (mine.columns() == 0 || sum(mayWait) && gather(mayWait))
        && receive(mayWait);
  }

  private boolean scatter(boolean mayWait) {
    for (; scattered < group.size() - 1; scattered++) {
      int to = group.other(scattered + 1);
      TensorView theirs = chunk(to);
      if (theirs.columns() > 0) {
        if (!mayWait && !group.isReady(to)) {
          return false;
        }
        outgoing.encode(header.of(Kind.SCATTER, theirs.columns()), theirs);
        group.send(to, outgoing, true);
      }
    }
    return true;
  }

  private boolean sum(boolean mayWait) {
    if (!summed && sum.advance(mayWait)) {
      summed = true;
      outgoing.encode(header.of(Kind.GATHER, mine.columns()), mine);
      if (header.payload() != PayloadType.F32) {
        // The others see rounded sums; this rank must compute on with the same ones.
        outgoing.decode(mine);
      }
    }
    return summed;
  }

  private boolean gather(boolean mayWait) {
    for (; gathered < group.size() - 1; gathered++) {
      if (!group.send(group.other(gathered + 1), outgoing, mayWait)) {
        return false;
      }
    }
    return true;
  }

  private boolean receive(boolean mayWait) {
    for (; received < group.size() - 1; received++) {
      int from = group.other(received + 1);
      TensorView theirs = chunk(from);
      if (theirs.columns() > 0) {
        ExchangeHeader expected = header.of(Kind.GATHER, theirs.columns());
        ExchangeFrame sums = group.receive(from, expected, mayWait);
        if (sums == null) {
          return false;
        }
        sums.decode(theirs);
        group.release(from, sums);
      }
    }
    return true;
  }

  /** The columns that a rank adds up: whole blocks of the payload type, in even runs. */
  private TensorView chunk(int rank) {
    long blocks = Math.ceilDiv(x.columns(), PayloadType.BLOCK);
    int start = (int) (blocks * rank / group.size()) * PayloadType.BLOCK;
    int end = (int) (blocks * (rank + 1) / group.size()) * PayloadType.BLOCK;
    return PeerGroup.columns(x, Math.min(start, x.columns()), Math.min(end, x.columns()));
  }
}
