package dev.caravan.coordinator.api.openai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.caravan.coordinator.api.text.ScoredToken;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The JSON of chats. Immutable. */
final class ChatFormat implements AnswerFormat {
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  private final AnswerHead head;
  private final TokenTexts texts;
  private final boolean logprobs;

  /**
   * @param logprobs true: each token's probability is reported
   */
  ChatFormat(AnswerHead head, TokenTexts texts, boolean logprobs) {
    this.head = head;
    this.texts = texts;
    this.logprobs = logprobs;
  }

  @Override
  public ObjectNode first(int choice) {
    ObjectNode delta = JSON.objectNode().put("role", "assistant").put("content", "");
    return chunk(choice, delta, NullNode.getInstance(), null);
  }

  @Override
  public ObjectNode part(int choice, ChoiceText text) {
    return chunk(
        choice, JSON.objectNode().put("content", text.text()), scores(text.tokens()), null);
  }

  @Override
  public ObjectNode last(int choice, String finishReason) {
    return chunk(choice, JSON.objectNode(), NullNode.getInstance(), finishReason);
  }

  @Override
  public ObjectNode usage() {
    ObjectNode chunk = head.object("chat.completion.chunk");
    chunk.putArray("choices");
    return chunk;
  }

  @Override
  public ObjectNode whole(List<ChoiceText> choices) {
    ObjectNode answer = head.object("chat.completion");
    ArrayNode list = answer.putArray("choices");
    for (ChoiceText text : choices) {
      ObjectNode choice = list.addObject().put("index", list.size() - 1);
      choice
          .putObject("message")
          .put("role", "assistant")
          .put("content", text.text())
          .putNull("refusal");
      choice.set("logprobs", scores(text.tokens()));
      choice.put("finish_reason", text.finishReason());
    }
    return answer;
  }

  private ObjectNode chunk(
      int choice, ObjectNode delta, JsonNode scores, @Nullable String finishReason) {
    ObjectNode chunk = head.object("chat.completion.chunk");
    ObjectNode entry = chunk.putArray("choices").addObject().put("index", choice);
    entry.set("delta", delta);
    entry.set("logprobs", scores);
    entry.put("finish_reason", finishReason);
    return chunk;
  }

  private JsonNode scores(List<ScoredToken> tokens) {
    if (!logprobs) {
      return NullNode.getInstance();
    }
    ObjectNode scores = JSON.objectNode();
    ArrayNode content = scores.putArray("content");
    for (ScoredToken token : tokens) {
      ObjectNode entry = content.addObject();
      score(entry, token.logprobs().id(), token.logprobs().logprob());
      ArrayNode top = entry.putArray("top_logprobs");
      for (int i = 0; i < token.logprobs().topIds().length; i++) {
        score(top.addObject(), token.logprobs().topIds()[i], token.logprobs().topLogprobs()[i]);
      }
    }
    return scores.putNull("refusal");
  }

  private void score(ObjectNode entry, int id, float logprob) {
    entry.put("token", texts.text(id)).put("logprob", finite(logprob));
    ArrayNode bytes = entry.putArray("bytes");
    for (byte each : texts.bytes(id)) {
      bytes.add(Byte.toUnsignedInt(each));
    }
  }

  /** JSON has no infinity; OpenAI, too, writes this for what is as good as impossible. */
  static float finite(float logprob) {
    return Math.max(logprob, -9999f);
  }
}
