/**
 * From the checkpoint's mapped bytes to packed weights: the rank's own part only. Knows no network.
 */
@NullMarked
package dev.caravan.worker.load;

import org.jspecify.annotations.NullMarked;
