package dev.caravan.coordinator.api.openai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.caravan.coordinator.api.text.ScoredToken;
import dev.caravan.coordinator.structure.OutputDelta;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The JSON of one chat. Confined to the lock of its choices. */
final class ChatFormat implements AnswerFormat {
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  private final AnswerHead head;
  private final TokenTexts texts;
  private final boolean logprobs;
  private final List<ChatReader> readers;

  /**
   * @param logprobs true: each token's probability is reported
   * @param readers one for each choice: find the tool calls
   */
  ChatFormat(AnswerHead head, TokenTexts texts, boolean logprobs, List<ChatReader> readers) {
    this.head = head;
    this.texts = texts;
    this.logprobs = logprobs;
    this.readers = List.copyOf(readers);
  }

  @Override
  public ObjectNode first(int choice) {
    ObjectNode delta = JSON.objectNode().put("role", "assistant").put("content", "");
    return chunk(choice, delta, NullNode.getInstance(), null);
  }

  @Override
  public List<ObjectNode> part(int choice, ChoiceText text) {
    List<ObjectNode> chunks = new ArrayList<>();
    JsonNode scores = scores(text.tokens());
    for (OutputDelta delta : readers.get(choice).accept(text.text())) {
      chunks.add(chunk(choice, ChatReader.json(delta), scores, null));
      scores = NullNode.getInstance();
    }
    if (chunks.isEmpty() && logprobs) {
      // The text is held back, what is known of its tokens is not.
      chunks.add(chunk(choice, JSON.objectNode(), scores, null));
    }
    return chunks;
  }

  @Override
  public List<ObjectNode> last(int choice, String finishReason) {
    List<ObjectNode> chunks = new ArrayList<>();
    for (OutputDelta delta : readers.get(choice).end()) {
      chunks.add(chunk(choice, ChatReader.json(delta), NullNode.getInstance(), null));
    }
    String reason = readers.get(choice).finishReason(finishReason);
    chunks.add(chunk(choice, JSON.objectNode(), NullNode.getInstance(), reason));
    return chunks;
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
    for (int i = 0; i < choices.size(); i++) {
      ObjectNode choice = list.addObject().put("index", i);
      choice.set("message", readers.get(i).message(choices.get(i).text()));
      choice.set("logprobs", scores(choices.get(i).tokens()));
      choice.put("finish_reason", readers.get(i).finishReason(choices.get(i).finishReason()));
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
