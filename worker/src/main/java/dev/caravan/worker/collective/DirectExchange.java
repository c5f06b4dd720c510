package dev.caravan.worker.collective;

import dev.caravan.proto.wire.ExchangeFrame;
import dev.caravan.proto.wire.ExchangeHeader;
import dev.caravan.proto.wire.TensorView;

/** Every rank sends its partial sums to every other rank: one hop, (n-1) times the bytes. */
final class DirectExchange implements SumExchange {
  private final PeerGroup group;
  private final ExchangeFrame own;
  private final RankOrderSum sum;
  private int sent;

  /**
   * @param own gets the partial sums, and is in use until the exchange ends
   */
  DirectExchange(PeerGroup group, ExchangeFrame own, ExchangeHeader header, TensorView x) {
    this.group = group;
    this.own = own;
    this.sum = new RankOrderSum(group, header, own, x);
    own.encode(header, x);
  }

  @Override
  public boolean advance(boolean mayWait) {
    for (; sent < group.size() - 1; sent++) {
      if (!group.send(group.other(sent + 1), own, mayWait)) {
        return false;
      }
    }
    return sum.advance(mayWait);
  }
}
