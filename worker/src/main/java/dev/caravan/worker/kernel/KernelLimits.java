package dev.caravan.worker.kernel;

/**
 * What the scratch memory of one thread's kernels must be large enough for.
 *
 * @param positions that attention may see
 * @param groupHeads query heads that share a key-value head
 * @param headDim numbers of a head
 */
public record KernelLimits(int positions, int groupHeads, int headDim) {

  public KernelLimits {
    if (positions < 1 || groupHeads < 1 || headDim < 1) {
      throw new IllegalArgumentException(
          "%d positions, %d heads of %d".formatted(positions, groupHeads, headDim));
    }
  }
}
