package dev.caravan.worker.rpc;

import dev.caravan.worker.collective.Collective;
import dev.caravan.worker.collective.IoDriver;
import dev.caravan.worker.tensor.Activations;

/**
 * Measures the time that a step spends in a collective, and handles there what has come meanwhile:
 * twice a layer a worker answers health checks, however long its steps are. Confined to the step
 * thread.
 */
final class TimedCollective implements Collective {
  private final Collective collective;
  private final IoDriver io;
  private long nanos;

  TimedCollective(Collective collective, IoDriver io) {
    this.collective = collective;
    this.io = io;
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
    io.handle();
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
