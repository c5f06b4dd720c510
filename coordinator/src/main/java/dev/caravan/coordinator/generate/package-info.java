/**
 * The heart: one loop that turns sequences into steps and logits into tokens. Knows no transport.
 */
@NullMarked
package dev.caravan.coordinator.generate;

import org.jspecify.annotations.NullMarked;
