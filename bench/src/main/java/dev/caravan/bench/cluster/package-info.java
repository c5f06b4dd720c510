/** Whole clusters under measured load, driven as the engine drives them. */
@NullMarked
package dev.caravan.bench.cluster;

import org.jspecify.annotations.NullMarked;
