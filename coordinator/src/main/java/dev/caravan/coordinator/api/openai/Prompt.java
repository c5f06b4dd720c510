package dev.caravan.coordinator.api.openai;

/**
 * A prompt of a completion.
 *
 * @param ids the begin token included
 * @param text as it is echoed
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Prompt(int[] ids, String text) {}
