package dev.caravan.worker.rpc;

import dev.caravan.worker.collective.Collective;
import dev.caravan.worker.collective.IoDriver;
import dev.caravan.worker.tensor.Activations;
import java.util.concurrent.TimeUnit;

/**
 * Measures the time that a step spends in a collective, and handles there what has come meanwhile:
 * at least twice a layer a worker answers health checks, however long its steps are, and what is in
 * flight moves while the step computes. Confined to the step thread.
 */
final class TimedCollective implements Collective {
  /** Between two looks at the sockets: a look takes a few microseconds. */
  private static final long PROGRESS_NANOS = TimeUnit.MICROSECONDS.toNanos(500);

  private final Collective collective;
  private final IoDriver io;
  private long lastNanos;
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
  public void start(long step, int op, Activations x, int rows) {
    long start = System.nanoTime();
    io.handle();
    collective.start(step, op, x, rows);
    count(start);
  }

  @Override
  public void finish() {
    long start = System.nanoTime();
    collective.finish();
    count(start);
  }

  /** Does nothing but look at the clock if it did more only just before. */
  @Override
  public void progress() {
    long start = System.nanoTime();
    if (start - lastNanos >= PROGRESS_NANOS) {
      io.handle();
      collective.progress();
      count(start);
    }
  }

  @Override
  public long bytesSent() {
    return collective.bytesSent();
  }

  /** Time spent since the start, in nanoseconds. */
  long nanos() {
    return nanos;
  }

  private void count(long startNanos) {
    lastNanos = System.nanoTime();
    nanos += lastNanos - startNanos;
  }
}
