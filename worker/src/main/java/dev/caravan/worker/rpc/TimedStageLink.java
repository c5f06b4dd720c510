package dev.caravan.worker.rpc;

import dev.caravan.worker.collective.StageLink;
import dev.caravan.worker.tensor.Activations;

/** Measures the time that a step spends on hand-overs. Confined to the step thread. */
final class TimedStageLink implements StageLink {
  private final StageLink link;
  private long nanos;

  TimedStageLink(StageLink link) {
    this.link = link;
  }

  @Override
  public void receive(long step, Activations x, int rows) {
    long start = System.nanoTime();
    link.receive(step, x, rows);
    nanos += System.nanoTime() - start;
  }

  @Override
  public void send(long step, Activations x, int rows) {
    long start = System.nanoTime();
    link.send(step, x, rows);
    nanos += System.nanoTime() - start;
  }

  @Override
  public long bytesSent() {
    return link.bytesSent();
  }

  /** Time spent since the start, in nanoseconds. */
  long nanos() {
    return nanos;
  }
}
