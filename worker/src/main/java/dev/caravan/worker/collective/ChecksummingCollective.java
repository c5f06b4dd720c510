package dev.caravan.worker.collective;

import dev.caravan.worker.tensor.Activations;
import java.util.ArrayDeque;
import java.util.Queue;

/**
 * Hashes the sums after every all-reduce: ranks whose checksums differ no longer hold the same
 * bits. Confined to the step thread.
 */
public final class ChecksummingCollective implements Collective {
  private static final long MULTIPLIER = 0x9e3779b97f4a7c15L;

  private final Collective inner;
  private final Queue<Sum> inFlight = new ArrayDeque<>(MAX_IN_FLIGHT);
  private long step = -1;
  private long checksum;

  private record Sum(int op, Activations x, int rows) {}

  public ChecksummingCollective(Collective inner) {
    this.inner = inner;
  }

  /** Checksum over all activations of the latest step, in the order of its all-reduces. */
  public long checksum() {
    return checksum;
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
  public long bytesSent() {
    return inner.bytesSent();
  }

  @Override
  public void start(long newStep, int op, Activations x, int rows) {
    if (newStep != step) {
      step = newStep;
      checksum = 0;
      inFlight.clear();
    }
    inner.start(newStep, op, x, rows);
    inFlight.add(new Sum(op, x, rows));
  }

  @Override
  public void finish() {
    inner.finish();
    Sum sum = inFlight.remove();
    long hash = mix(checksum, sum.op());
    for (int row = 0; row < sum.rows(); row++) {
      for (int column = 0; column < sum.x().columns(); column++) {
        // Not the raw bits: which of two NaNs an addition keeps is up to the compiler.
        hash = mix(hash, Float.floatToIntBits(sum.x().get(row, column)));
      }
    }
    checksum = hash;
  }

  @Override
  public void progress() {
    inner.progress();
  }

  private static long mix(long hash, int value) {
    long mixed = (hash ^ value) * MULTIPLIER;
    return mixed ^ (mixed >>> 32);
  }
}
