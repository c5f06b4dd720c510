package dev.caravan.coordinator.api.text;

import dev.caravan.coordinator.generate.GenerationListener.End;

/**
 * What a request cost.
 *
 * @param promptTokens ids of all its prompts, each once
 * @param cachedTokens of them, those that the prefix cache held
 * @param completionTokens ids generated, end ids included
 */
public record Usage(int promptTokens, int cachedTokens, int completionTokens) {
  /** Nothing yet. */
  public static final Usage NONE = new Usage(0, 0, 0);

  public int totalTokens() {
    return promptTokens + completionTokens;
  }

  Usage plus(End end, boolean countsPrompt) {
    return new Usage(
        promptTokens + (countsPrompt ? end.promptTokens() : 0),
        cachedTokens + (countsPrompt ? end.cachedTokens() : 0),
        completionTokens + end.outputTokens());
  }
}
