package dev.caravan.coordinator.schedule;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;

/**
 * Hands out the KV blocks; the same block id means the same block on every worker. Confined to the
 * generation loop.
 */
public final class BlockAllocator {
  private final int[] free;
  private int freeCount;

  public BlockAllocator(int blocks) {
    free = new int[blocks];
    freeCount = blocks;
    for (int i = 0; i < blocks; i++) {
      // The lowest id is on top: few sequences touch few blocks, and untouched memory stays free.
      free[i] = blocks - 1 - i;
    }
  }

  /**
   * Takes a free block.
   *
   * @throws ClusterException OVERLOADED if there is none
   */
  public int allocate() {
    if (freeCount == 0) {
      throw new ClusterException(
          ErrorCode.OVERLOADED,
          "all %d KV blocks are in use; run fewer sequences at once or raise --ctx"
              .formatted(free.length));
    }
    return free[--freeCount];
  }

  public void release(int block) {
    if (freeCount == free.length) {
      throw new IllegalStateException("block %d released twice".formatted(block));
    }
    free[freeCount++] = block;
  }

  public int freeBlocks() {
    return freeCount;
  }
}
