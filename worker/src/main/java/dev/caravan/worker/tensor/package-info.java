/**
 * Memory that kernels read and write: activations and packed weights, off heap and 64-byte aligned.
 */
@NullMarked
package dev.caravan.worker.tensor;

import org.jspecify.annotations.NullMarked;
