/**
 * Which rows go into the next step, and which KV blocks they use. Knows no transport and no text.
 */
@NullMarked
package dev.caravan.coordinator.schedule;

import org.jspecify.annotations.NullMarked;
