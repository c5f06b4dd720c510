package dev.caravan.worker.rpc;

import dev.caravan.worker.collective.Collective;
import dev.caravan.worker.tensor.Activations;

/** Measures the time that a step spends in a collective. Confined to the step thread. */
final class TimedCollective implements Collective {
  private final Collective collective;
  private long nanos;

  TimedCollective(Collective collective) {
    this.collective = collective;
  }

  @Override
  public int rank() {
    return collective.rank();
  }

  @Override
  public int size() {
    return collective.size();
  }

  @Override
  public void allReduceSum(long step, int op, Activations x, int rows) {
    long start = System.nanoTime();
    collective.allReduceSum(step, op, x, rows);
    nanos += System.nanoTime() - start;
  }

  @Override
  public long bytesSent() {
    return collective.bytesSent();
  }

  /** Time spent since the start, in nanoseconds. */
  long nanos() {
    return nanos;
  }
}
