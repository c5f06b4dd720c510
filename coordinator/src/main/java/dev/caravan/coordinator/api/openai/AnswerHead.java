package dev.caravan.coordinator.api.openai;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.caravan.coordinator.api.text.Usage;
import java.time.Instant;
import java.util.HexFormat;
import java.util.concurrent.ThreadLocalRandom;

/**
 * What all parts of one answer have in common.
 *
 * @param id of the answer
 * @param createdSeconds since 1970
 * @param model its id
 */
record AnswerHead(String id, long createdSeconds, String model) {

  /** Makes one with a random id. */
  static AnswerHead of(String prefix, String model) {
    byte[] random = new byte[12];
    ThreadLocalRandom.current().nextBytes(random);
    return new AnswerHead(
        prefix + HexFormat.of().formatHex(random), Instant.now().getEpochSecond(), model);
  }

  ObjectNode object(String type) {
    return JsonNodeFactory.instance
        .objectNode()
        .put("id", id)
        .put("object", type)
        .put("created", createdSeconds)
        .put("model", model);
  }

  static void addUsage(ObjectNode answer, Usage usage) {
    ObjectNode node = answer.putObject("usage");
    node.put("prompt_tokens", usage.promptTokens())
        .put("completion_tokens", usage.completionTokens())
        .put("total_tokens", usage.totalTokens());
    node.putObject("prompt_tokens_details").put("cached_tokens", usage.cachedTokens());
  }
}
