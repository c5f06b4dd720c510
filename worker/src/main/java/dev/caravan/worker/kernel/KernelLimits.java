package dev.caravan.worker.kernel;

/**
 * What the scratch memory of one thread's kernels must be large enough for.
 *
 * @param positions that attention may see
 * @param groupHeads query heads that share a key-value head
 * @param headDim numbers of a head
 */
public record KernelLimits(int positions, int groupHeads, int headDim) {
  /** Queries that share the loads of a block: more would push their scores out of the caches. */
  private static final int QUERIES = 48;

  public KernelLimits {
    if (positions < 1 || groupHeads < 1 || headDim < 1) {
      throw new IllegalArgumentException(
          "%d positions, %d heads of %d".formatted(positions, groupHeads, headDim));
    }
  }

  /** Most rows of one sequence that attend together. */
  public int attentionRows() {
    return Math.max(1, QUERIES / groupHeads);
  }
}
