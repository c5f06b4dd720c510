package dev.caravan.coordinator.api.openai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The JSON of completions. Immutable. */
final class CompletionFormat implements AnswerFormat {
  private static final String OBJECT = "text_completion";

  private final AnswerHead head;
  private final Echo echo;
  private final boolean logprobs;

  /**
   * @param logprobs true: each token's probability is reported
   */
  CompletionFormat(AnswerHead head, Echo echo, boolean logprobs) {
    this.head = head;
    this.echo = echo;
    this.logprobs = logprobs;
  }

  @Override
  public @Nullable ObjectNode first(int choice) {
    // With probabilities the prompt comes when it is scored.
    return logprobs || echo.text(choice).isEmpty()
        ? null
        : chunk(choice, echo.text(choice), NullNode.getInstance(), null);
  }

  @Override
  public List<ObjectNode> part(int choice, ChoiceText text) {
    String shown = text.prompt().isPresent() ? echo.text(choice) + text.text() : text.text();
    return List.of(chunk(choice, shown, scores(choice, text), null));
  }

  @Override
  public List<ObjectNode> last(int choice, String finishReason) {
    return List.of(chunk(choice, "", NullNode.getInstance(), finishReason));
  }

  @Override
  public ObjectNode usage() {
    ObjectNode chunk = head.object(OBJECT);
    chunk.putArray("choices");
    return chunk;
  }

  @Override
  public ObjectNode whole(List<ChoiceText> choices) {
    ObjectNode answer = head.object(OBJECT);
    ArrayNode list = answer.putArray("choices");
    for (int choice = 0; choice < choices.size(); choice++) {
      ChoiceText text = choices.get(choice);
      add(list, choice, echo.text(choice) + text.text(), scores(choice, text))
          .put("finish_reason", text.finishReason());
    }
    return answer;
  }

  private ObjectNode chunk(
      int choice, String text, JsonNode scores, @Nullable String finishReason) {
    ObjectNode chunk = head.object(OBJECT);
    add(chunk.putArray("choices"), choice, text, scores).put("finish_reason", finishReason);
    return chunk;
  }

  private static ObjectNode add(ArrayNode list, int choice, String text, JsonNode scores) {
    ObjectNode entry = list.addObject().put("index", choice).put("text", text);
    entry.set("logprobs", scores);
    return entry;
  }

  private JsonNode scores(int choice, ChoiceText text) {
    if (!logprobs) {
      return NullNode.getInstance();
    }
    CompletionScores scores = new CompletionScores(echo.texts());
    text.prompt().ifPresent(prompt -> echo.scores(choice, prompt, scores));
    int before = echo.text(choice).length();
    text.tokens().forEach(token -> scores.add(token.logprobs(), before + token.textStart()));
    return scores.json();
  }
}
