package dev.caravan.model.shard;

import java.util.Collections;
import java.util.List;

/**
 * What one worker can do, compared with the others.
 *
 * @param weight share of the work; only ratios matter (memory bandwidth in GB/s is a good one)
 */
public record WorkerCapacity(double weight) {

  public WorkerCapacity {
    if (!(weight > 0 && weight < 1e12)) {
      throw new IllegalArgumentException(
          "capacity weight %s is not in (0, 1e12)".formatted(weight));
    }
  }

  /** Returns that many workers which can all do the same. */
  public static List<WorkerCapacity> equal(int workers) {
    return Collections.nCopies(workers, new WorkerCapacity(1));
  }
}
