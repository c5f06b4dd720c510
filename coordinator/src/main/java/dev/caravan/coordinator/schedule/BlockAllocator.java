package dev.caravan.coordinator.schedule;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import org.jspecify.annotations.Nullable;

/**
 * Hands out the KV blocks; the same block id means the same block on every worker. Confined to the
 * generation loop.
 *
 * <p>A full block may be used by many sequences, which all begin with the same ids. When the last
 * of them lets go of it, it stays in the prefix cache until its memory is needed: those that were
 * used longest ago go first.
 */
public final class BlockAllocator {
  private final int[] free;
  private int freeCount;
  private final int[] users;
  private final PrefixCache cache;

  /**
   * @param blocks number of blocks
   */
  public BlockAllocator(int blocks) {
    free = new int[blocks];
    freeCount = blocks;
    users = new int[blocks];
    cache = new PrefixCache(blocks);
    for (int i = 0; i < blocks; i++) {
      // The lowest id is on top: few sequences touch few blocks, and untouched memory stays free.
      free[i] = blocks - 1 - i;
    }
  }

  /**
   * Takes a free block, or one that only the cache holds.
   *
   * @throws ClusterException OVERLOADED if there is none
   */
  public int allocate() {
    if (freeBlocks() == 0) {
      throw new ClusterException(
          ErrorCode.OVERLOADED,
          "all %d KV blocks are in use; run fewer sequences at once or raise --ctx"
              .formatted(free.length));
    }
    int block = freeCount > 0 ? free[--freeCount] : cache.evict();
    users[block] = 1;
    return block;
  }

  /** Gives one use of a block back. */
  public void release(int block) {
    if (users[block] == 0) {
      throw new IllegalStateException("block %d released twice".formatted(block));
    }
    users[block]--;
    if (users[block] == 0 && !cache.keep(block)) {
      free[freeCount++] = block;
    }
  }

  /** Uses the block that holds a text, if there is one; null if not. */
  @Nullable Integer share(BlockKey key) {
    Integer block = cache.find(key);
    if (block != null) {
      if (users[block] == 0) {
        cache.use(block);
      }
      users[block]++;
    }
    return block;
  }

  /** Lets a block be found by the text that it holds from now on. */
  void publish(int block, BlockKey key) {
    cache.put(block, key);
  }

  /** Forgets what the blocks hold that no sequence uses: nobody finds them any more. */
  void forgetTexts() {
    while (cache.idleBlocks() > 0) {
      free[freeCount++] = cache.evict();
    }
  }

  /** Blocks that can be handed out: those that no sequence uses. */
  public int freeBlocks() {
    return freeCount + cache.idleBlocks();
  }

  /** Blocks that only the prefix cache holds. */
  public int cachedBlocks() {
    return cache.idleBlocks();
  }

  public int blocks() {
    return free.length;
  }
}
