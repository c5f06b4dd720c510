package dev.caravan.worker.collective;

import dev.caravan.proto.wire.TensorView;
import dev.caravan.worker.tensor.Activations;

/**
 * Sums over the ranks of a group by whichever way its rule says, in frames of a bounded size.
 *
 * <p>Confined to the step thread.
 */
final class PeerAllReduce implements Collective {
  private final PeerGroup group;
  private final AllReduceRule rule;
  private final DirectExchange direct;
  private final ScatterExchange scatter;

  PeerAllReduce(PeerGroup group, AllReduceRule rule) {
    this.group = group;
    this.rule = rule;
    this.direct = new DirectExchange(group);
    this.scatter = new ScatterExchange(group);
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
    boolean isDirect = rule.isDirect(group.settings().payload(), x.columns(), rows);
    SumExchange way = isDirect ? direct : scatter;
    int rowsPerFrame = group.settings().rowsPerFrame(x.columns());
    for (int row = 0; row < rows; row += rowsPerFrame) {
      TensorView part = PeerGroup.view(x, row, Math.min(rowsPerFrame, rows - row));
      way.sum(step, op, part, row);
    }
    group.flush();
  }
}
