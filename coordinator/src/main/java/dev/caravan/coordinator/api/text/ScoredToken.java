package dev.caravan.coordinator.api.text;

import dev.caravan.coordinator.generate.TokenLogprobs;

/**
 * A token of a text with its probabilities.
 *
 * @param textStart characters of the text before it
 */
public record ScoredToken(TokenLogprobs logprobs, int textStart) {}
