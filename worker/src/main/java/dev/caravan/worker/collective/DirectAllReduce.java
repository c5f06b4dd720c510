package dev.caravan.worker.collective;

import dev.caravan.proto.wire.ExchangeFrame;
import dev.caravan.proto.wire.ExchangeHeader;
import dev.caravan.proto.wire.ExchangeHeader.Kind;
import dev.caravan.proto.wire.TensorView;
import dev.caravan.worker.tensor.Activations;

/**
 * Every rank sends its partial sums to every other rank: one hop, (n-1) times the bytes.
 *
 * <p>Confined to the step thread.
 */
public final class DirectAllReduce implements Collective {
  private final PeerGroup group;
  private final ExchangeFrame own = new ExchangeFrame(0);

  public DirectAllReduce(PeerGroup group) {
    this.group = group;
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
  public void allReduceSum(long step, int op, Activations x, int rows) {
    group.begin();
    int rowsPerFrame = group.settings().rowsPerFrame(x.columns());
    for (int row = 0; row < rows; row += rowsPerFrame) {
      TensorView part = PeerGroup.view(x, row, Math.min(rowsPerFrame, rows - row));
      reduce(group.header(Kind.DIRECT, step, op, part, row), part);
    }
  }

  private void reduce(ExchangeHeader header, TensorView x) {
    own.encode(header, x);
    // Each rank starts with its neighbour, so that not all of them flood rank 0 first.
    for (int i = 1; i < group.size(); i++) {
      group.send((group.rank() + i) % group.size(), own);
    }
    // The own partial is read back from its frame: all ranks then add the same bytes in the same
    // order, whatever the payload type loses.
    for (int rank = 0; rank < group.size(); rank++) {
      ExchangeFrame partial = rank == group.rank() ? own : group.receive(rank, header);
      if (rank == 0) {
        partial.decode(x);
      } else {
        partial.decodeAdd(x);
      }
      if (rank != group.rank()) {
        group.release(rank, partial);
      }
    }
  }
}
