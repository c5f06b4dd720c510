package dev.caravan.coordinator.generate;

/**
 * Natural logarithms of probabilities at one position: of the model's own distribution, before
 * temperature, penalties and filters.
 *
 * @param id of the token that stands there
 * @param logprob of that token
 * @param topIds the likeliest tokens, the likeliest first
 * @param topLogprobs of those
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record TokenLogprobs(int id, float logprob, int[] topIds, float[] topLogprobs) {}
