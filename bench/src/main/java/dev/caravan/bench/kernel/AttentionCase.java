package dev.caravan.bench.kernel;

import dev.caravan.worker.kvcache.KvType;

/**
 * One thing to measure: attention of one layer for the last rows of a sequence.
 *
 * @param type of the cached keys and values
 * @param positions that the last row sees
 * @param rows of the sequence: 1 for decode, more for a piece of a prompt
 */
public record AttentionCase(KvType type, int positions, int rows) {}
