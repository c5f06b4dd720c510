/**
 * Structured output: what a request asks of the form of an answer, as constraints over tokens and
 * as tool calls found in text. Knows no cluster and no HTTP.
 */
@NullMarked
package dev.caravan.coordinator.structure;

import org.jspecify.annotations.NullMarked;
