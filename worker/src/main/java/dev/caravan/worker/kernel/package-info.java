/**
 * What is computed, one thread at a time: the contract of the kernels. Knows no layers, no threads,
 * no network.
 */
@NullMarked
package dev.caravan.worker.kernel;

import org.jspecify.annotations.NullMarked;
