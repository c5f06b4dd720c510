/**
 * The forward pass of one stage. Layers know local sizes; only the shard knows ranks. Knows no
 * network.
 */
@NullMarked
package dev.caravan.worker.layer;

import org.jspecify.annotations.NullMarked;
