package dev.caravan.coordinator.api.openai;

import dev.caravan.coordinator.generate.TokenLogprobs;
import dev.caravan.coordinator.text.StreamingDecoder;
import dev.caravan.coordinator.text.Tokenizer;
import java.util.List;

/**
 * The prompts that completions begin with, if they are to be echoed. Immutable.
 *
 * @param tokenizer of the model
 * @param prompts of the request; empty if none is echoed
 * @param choices of each prompt
 */
record Echo(Tokenizer tokenizer, List<Prompt> prompts, int choices) {
  Echo {
    prompts = List.copyOf(prompts);
  }

  /** Returns the prompt of a choice; empty if it is not echoed. */
  String text(int choice) {
    return prompts.isEmpty() ? "" : prompts.get(choice / choices).text();
  }

  TokenTexts texts() {
    return new TokenTexts(tokenizer);
  }

  /** Adds the probabilities of a choice's prompt. */
  void scores(int choice, List<TokenLogprobs> scored, CompletionScores scores) {
    int[] ids = prompts.get(choice / choices).ids();
    StreamingDecoder decoder = StreamingDecoder.of(tokenizer);
    scores.addFirst(ids[0]);
    int chars = decoder.accept(ids[0]).length();
    for (TokenLogprobs token : scored) {
      scores.add(token, chars);
      chars += decoder.accept(token.id()).length();
    }
  }
}
