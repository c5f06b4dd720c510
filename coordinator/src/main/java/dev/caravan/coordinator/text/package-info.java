/**
 * Text to token ids and back: tokenizers for the vocabularies of Llama 2 and Llama 3, and decoding
 * of a stream. Knows no model, no request and no network.
 */
@NullMarked
package dev.caravan.coordinator.text;

import org.jspecify.annotations.NullMarked;
