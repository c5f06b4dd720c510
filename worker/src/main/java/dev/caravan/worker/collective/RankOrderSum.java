package dev.caravan.worker.collective;

import dev.caravan.proto.wire.ExchangeFrame;
import dev.caravan.proto.wire.ExchangeHeader;
import dev.caravan.proto.wire.TensorView;

/** Adds up the partials of all ranks, in rank order, as they come. Confined to the step thread. */
final class RankOrderSum {
  private final PeerGroup group;
  private final ExchangeHeader expected;
  private final ExchangeFrame own;
  private final TensorView x;
  private int added;

  /**
   * @param expected the header of the own frame
   * @param own partial of this rank. It is read back from its frame: all ranks then add the same
   *     bytes in the same order, whatever the payload type loses
   * @param x overwritten with the sum
   */
  RankOrderSum(PeerGroup group, ExchangeHeader expected, ExchangeFrame own, TensorView x) {
    this.group = group;
    this.expected = expected;
    this.own = own;
    this.x = x;
  }

  /** As {@link SumExchange#advance}. */
  boolean advance(boolean mayWait) {
    while (added < group.size()) {
      boolean isOwn = added == group.rank();
      ExchangeFrame partial = isOwn ? own : group.receive(added, expected, mayWait);
      if (partial == null) {
        return false;
      }
      add(partial);
      if (!isOwn) {
        group.release(added, partial);
      }
      added++;
    }
    return true;
  }

  private void add(ExchangeFrame partial) {
    if (added == 0) {
      partial.decode(x);
    } else {
      partial.decodeAdd(x);
    }
  }
}
