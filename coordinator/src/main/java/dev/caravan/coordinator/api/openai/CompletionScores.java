package dev.caravan.coordinator.api.openai;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.caravan.coordinator.generate.TokenLogprobs;

/** Collects the probabilities of a completion's tokens in the form of four lists. */
final class CompletionScores {
  private final TokenTexts texts;
  private final ObjectNode scores = JsonNodeFactory.instance.objectNode();
  private final ArrayNode tokens = scores.putArray("tokens");
  private final ArrayNode logprobs = scores.putArray("token_logprobs");
  private final ArrayNode tops = scores.putArray("top_logprobs");
  private final ArrayNode offsets = scores.putArray("text_offset");

  CompletionScores(TokenTexts texts) {
    this.texts = texts;
  }

  /** Adds the first token of a prompt, which nothing predicts. */
  void addFirst(int id) {
    tokens.add(texts.distinctText(id));
    logprobs.addNull();
    tops.addNull();
    offsets.add(0);
  }

  void add(TokenLogprobs token, int textStart) {
    String text = texts.distinctText(token.id());
    tokens.add(text);
    logprobs.add(ChatFormat.finite(token.logprob()));
    ObjectNode top = tops.addObject();
    for (int i = 0; i < token.topIds().length; i++) {
      String other = texts.distinctText(token.topIds()[i]);
      if (!top.has(other)) {
        // Two tokens may have the same text: the likelier one, which comes first, stands for both.
        top.put(other, ChatFormat.finite(token.topLogprobs()[i]));
      }
    }
    if (!top.has(text)) {
      top.put(text, ChatFormat.finite(token.logprob()));
    }
    offsets.add(textStart);
  }

  ObjectNode json() {
    return scores;
  }
}
