package dev.caravan.worker.collective;

import dev.caravan.proto.wire.PayloadType;
import dev.caravan.worker.tensor.Activations;

/**
 * Goes directly where one hop less counts more than the bytes, by scatter and gather elsewhere.
 *
 * <p>Two ranks send the same bytes either way. For more, a message of up to 32 KiB costs its
 * latency, a longer one its bytes. In a lossy payload type the two ways round differently, so the
 * choice depends on the row's width alone, never on the rows: a row must not depend on its batch.
 *
 * <p>Confined to the step thread.
 */
final class SizedAllReduce implements Collective {
  private static final long DIRECT_BYTES = 32 << 10;

  private final PeerGroup group;
  private final DirectAllReduce direct;
  private final ScatterAllReduce scatter;

  SizedAllReduce(PeerGroup group) {
    this.group = group;
    this.direct = new DirectAllReduce(group);
    this.scatter = new ScatterAllReduce(group);
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
    choose(x.columns(), rows).allReduceSum(step, op, x, rows);
  }

  Collective choose(int columns, int rows) {
    long rowBytes = group.settings().payload().rowBytes(columns);
    boolean exact = group.settings().payload() == PayloadType.F32;
    long bytes = exact ? rowBytes * rows : rowBytes;
    return group.size() == 2 || bytes <= DIRECT_BYTES ? direct : scatter;
  }
}
