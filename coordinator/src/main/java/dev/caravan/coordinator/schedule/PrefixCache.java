package dev.caravan.coordinator.schedule;

import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Knows which KV blocks hold which text, and of those that no sequence uses which one was used
 * longest ago. Confined to the generation loop.
 */
final class PrefixCache {
  private final Map<BlockKey, Integer> blocks = new HashMap<>();
  private final @Nullable BlockKey[] keys;
  private final Set<Integer> idle = new LinkedHashSet<>(); // in the order in which they became idle

  /**
   * @param size number of all blocks
   */
  PrefixCache(int size) {
    keys = new @Nullable BlockKey[size];
  }

  /** Remembers what a block holds; the first block with a content is the one that is found. */
  void put(int block, BlockKey key) {
    if (keys[block] == null && blocks.putIfAbsent(key, block) == null) {
      keys[block] = key;
    }
  }

  /** Returns the block that holds a text, or null. */
  @Nullable Integer find(BlockKey key) {
    return blocks.get(key);
  }

  /** Keeps a block that no sequence uses any more; returns false if nothing is known of it. */
  boolean keep(int block) {
    return keys[block] != null && idle.add(block);
  }

  /** Takes note that an idle block is used again. */
  void use(int block) {
    idle.remove(block);
  }

  int idleBlocks() {
    return idle.size();
  }

  /** Forgets the block that became idle longest ago, and returns it; there has to be one. */
  int evict() {
    Iterator<Integer> oldest = idle.iterator();
    int block = oldest.next();
    oldest.remove();
    BlockKey key = keys[block];
    if (key != null) {
      blocks.remove(key);
      keys[block] = null;
    }
    return block;
  }
}
