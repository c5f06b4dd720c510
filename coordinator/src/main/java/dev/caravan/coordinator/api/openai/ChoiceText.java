package dev.caravan.coordinator.api.openai;

import dev.caravan.coordinator.api.text.ScoredToken;
import dev.caravan.coordinator.generate.TokenLogprobs;
import java.util.List;
import java.util.Optional;

/**
 * A choice or a part of one.
 *
 * @param tokens of the text, if probabilities were asked for
 * @param prompt the prompt's probabilities, if they were asked for and belong to this part
 * @param finishReason empty for a part
 */
record ChoiceText(
    String text,
    List<ScoredToken> tokens,
    Optional<List<TokenLogprobs>> prompt,
    String finishReason) {
  ChoiceText {
    tokens = List.copyOf(tokens);
  }
}
