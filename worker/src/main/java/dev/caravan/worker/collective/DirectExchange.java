package dev.caravan.worker.collective;

import dev.caravan.proto.wire.ExchangeFrame;
import dev.caravan.proto.wire.ExchangeHeader;
import dev.caravan.proto.wire.ExchangeHeader.Kind;
import dev.caravan.proto.wire.TensorView;

/** Every rank sends its partial sums to every other rank: one hop, (n-1) times the bytes. */
final class DirectExchange implements SumExchange {
  private final PeerGroup group;
  private final ExchangeFrame own = new ExchangeFrame(0);

  DirectExchange(PeerGroup group) {
    this.group = group;
  }

  @Override
  public void sum(long step, int op, TensorView x, int firstRow) {
    ExchangeHeader header = group.header(Kind.DIRECT, step, op, x, firstRow);
    own.encode(header, x);
    group.sendToAll(own);
    group.sumPartials(header, own, x);
  }
}
