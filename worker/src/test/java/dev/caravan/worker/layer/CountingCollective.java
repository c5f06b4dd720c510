package dev.caravan.worker.layer;

import dev.caravan.worker.collective.Collective;
import dev.caravan.worker.tensor.Activations;

/** Counts how often layers ask for progress. Confined to the step thread. */
final class CountingCollective implements Collective {
  private final Collective inner;
  private int progressed;

  CountingCollective(Collective inner) {
    this.inner = inner;
  }

  int progressed() {
    return progressed;
  }

  @Override
  public int rank() {
    return inner.rank();
  }

  @Override
  public int size() {
    return inner.size();
  }

  @Override
  public void start(long step, int op, Activations x, int rows) {
    inner.start(step, op, x, rows);
  }

  @Override
  public void finish() {
    inner.finish();
  }

  @Override
  public void progress() {
    progressed++;
    inner.progress();
  }

  @Override
  public long bytesSent() {
    return inner.bytesSent();
  }
}
