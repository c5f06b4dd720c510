/**
 * Generations as text: ids become characters, stop texts end them, several run for one caller.
 * Knows no protocol.
 */
@NullMarked
package dev.caravan.coordinator.api.text;

import org.jspecify.annotations.NullMarked;
