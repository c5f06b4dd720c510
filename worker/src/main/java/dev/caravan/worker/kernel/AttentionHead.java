package dev.caravan.worker.kernel;

import dev.caravan.worker.kvcache.PagedKvCache;

/**
 * What one query row attends to with the query heads that share a key-value head.
 *
 * @param cache keys and values, those of the row's own position included
 * @param layer of the cache
 * @param kvHead local key-value head
 * @param fromHead first local query head that uses it
 * @param toHead one past the last
 * @param blocks block table of the sequence: position p lies in blocks[p / 16]
 * @param positions that the row sees, its own included; at least 1
 */
public record AttentionHead(
    PagedKvCache cache,
    int layer,
    int kvHead,
    int fromHead,
    int toHead,
    int[] blocks,
    int positions) {}
