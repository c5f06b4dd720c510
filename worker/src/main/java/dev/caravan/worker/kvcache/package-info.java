/**
 * Keys and values of past positions in blocks. Knows no sequences: the coordinator hands out the
 * blocks.
 */
@NullMarked
package dev.caravan.worker.kvcache;

import org.jspecify.annotations.NullMarked;
