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
  private final ExchangeFrame own = new ExchangeFrame(0);
  private final ExchangeFrame outgoing = new ExchangeFrame(0);

  ScatterExchange(PeerGroup group) {
    this.group = group;
  }

  @Override
  public void sum(long step, int op, TensorView x, int firstRow) {
    ExchangeHeader header = group.header(Kind.SCATTER, step, op, x, firstRow);
    scatter(header, x);
    gather(header, x);
  }

  private void scatter(ExchangeHeader header, TensorView x) {
    for (int i = 1; i < group.size(); i++) {
      int to = group.other(i);
      TensorView theirs = chunk(x, to);
      if (theirs.columns() > 0) {
        outgoing.encode(header.of(Kind.SCATTER, theirs.columns()), theirs);
        group.send(to, outgoing);
      }
    }
    TensorView mine = chunk(x, group.rank());
    if (mine.columns() > 0) {
      ExchangeHeader expected = header.of(Kind.SCATTER, mine.columns());
      own.encode(expected, mine);
      group.sumPartials(expected, own, mine);
    }
  }

  private void gather(ExchangeHeader header, TensorView x) {
    TensorView mine = chunk(x, group.rank());
    if (mine.columns() > 0) {
      outgoing.encode(header.of(Kind.GATHER, mine.columns()), mine);
      group.sendToAll(outgoing);
      if (header.payload() != PayloadType.F32) {
        // The others see rounded sums; this rank must compute on with the same ones.
        outgoing.decode(mine);
      }
    }
    for (int i = 1; i < group.size(); i++) {
      int from = group.other(i);
      TensorView theirs = chunk(x, from);
      if (theirs.columns() > 0) {
        ExchangeFrame sums = group.receive(from, header.of(Kind.GATHER, theirs.columns()));
        sums.decode(theirs);
        group.release(from, sums);
      }
    }
  }

  /** The columns that a rank adds up: whole blocks of the payload type, in even runs. */
  private TensorView chunk(TensorView x, int rank) {
    long blocks = Math.ceilDiv(x.columns(), PayloadType.BLOCK);
    int start = (int) (blocks * rank / group.size()) * PayloadType.BLOCK;
    int end = (int) (blocks * (rank + 1) / group.size()) * PayloadType.BLOCK;
    return PeerGroup.columns(x, Math.min(start, x.columns()), Math.min(end, x.columns()));
  }
}
