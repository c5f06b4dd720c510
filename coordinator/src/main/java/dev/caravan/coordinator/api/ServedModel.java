package dev.caravan.coordinator.api;

import dev.caravan.coordinator.structure.StructuredOutput;
import dev.caravan.coordinator.text.Tokenizer;
import dev.caravan.coordinator.text.chat.ChatTemplate;
import java.util.Map;
import java.util.Optional;

/**
 * The model that is served, as the API needs it. Immutable.
 *
 * @param id name in requests and answers
 * @param createdSeconds when it was loaded, in seconds since 1970
 * @param chatTemplate makes prompts of conversations, if there is one
 * @param templateTokens texts of special tokens by the names that the template knows them by
 * @param forms that answers may have to have
 * @param contextLength most tokens of prompt and output together
 */
public record ServedModel(
    String id,
    long createdSeconds,
    Tokenizer tokenizer,
    Optional<ChatTemplate> chatTemplate,
    Map<String, String> templateTokens,
    StructuredOutput forms,
    int contextLength) {

  public ServedModel {
    templateTokens = Map.copyOf(templateTokens);
  }
}
