package dev.caravan.worker.collective;

import dev.caravan.worker.tensor.Activations;

/**
 * Hashes the sums after every all-reduce: ranks whose checksums differ no longer hold the same
 * bits. Confined to the step thread.
 */
public final class ChecksummingCollective implements Collective {
  private static final long MULTIPLIER = 0x9e3779b97f4a7c15L;

  private final Collective inner;
  private long step = -1;
  private long checksum;

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
  public void allReduceSum(long newStep, int op, Activations x, int rows) {
    inner.allReduceSum(newStep, op, x, rows);
    if (newStep != step) {
      step = newStep;
      checksum = 0;
    }
    long hash = mix(checksum, op);
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < x.columns(); column++) {
        // Not the raw bits: which of two NaNs an addition keeps is up to the compiler.
        hash = mix(hash, Float.floatToIntBits(x.get(row, column)));
      }
    }
    checksum = hash;
  }

  private static long mix(long hash, int value) {
    long mixed = (hash ^ value) * MULTIPLIER;
    return mixed ^ (mixed >>> 32);
  }
}
