package dev.caravan.worker.kernel;

import dev.caravan.worker.kvcache.PagedKvCache;

/**
 * A key-value head of a layer and the query heads that share it.
 *
 * @param cache keys and values
 * @param layer of the cache
 * @param kvHead local key-value head
 * @param fromHead first local query head that uses it
 * @param toHead one past the last
 */
public record AttentionHead(PagedKvCache cache, int layer, int kvHead, int fromHead, int toHead) {

  /** Query heads that share the key-value head. */
  public int heads() {
    return toHead - fromHead;
  }
}
