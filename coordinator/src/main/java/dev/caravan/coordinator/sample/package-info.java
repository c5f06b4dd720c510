/** Choosing the next token from logits. Knows no request, no text and no network. */
@NullMarked
package dev.caravan.coordinator.sample;

import org.jspecify.annotations.NullMarked;
