package dev.caravan.coordinator.api.openai;

import com.fasterxml.jackson.databind.JsonNode;
import dev.caravan.coordinator.api.Fields;
import dev.caravan.coordinator.text.Prompts;
import dev.caravan.coordinator.text.Tokenizer;
import java.util.ArrayList;
import java.util.List;

/** Reads the prompt of a completion: a text, a list of texts, ids or a list of lists of ids. */
final class CompletionPrompts {
  private static final String PROMPT = "prompt";
  private static final int MAX_PROMPTS = 16;

  private final Fields fields;
  private final Tokenizer tokenizer;

  CompletionPrompts(Fields fields, Tokenizer tokenizer) {
    this.fields = fields;
    this.tokenizer = tokenizer;
  }

  /**
   * Returns the prompts; a text gets the begin token, ids are used as they are.
   *
   * @throws dev.caravan.coordinator.api.ApiException status 400 that names the field
   */
  List<Prompt> read() {
    JsonNode given = fields.get(PROMPT);
    if (given.isTextual()) {
      return List.of(ofText(given.textValue()));
    }
    if (!given.isArray() || given.isEmpty()) {
      throw fields.wrongType(PROMPT, given, "a text, a list of texts, ids or a list of ids");
    }
    if (given.get(0).isNumber()) {
      return List.of(ofIds(given));
    }
    if (given.size() > MAX_PROMPTS) {
      throw fields.invalid(
          PROMPT, "%d prompts; at most %d in one request".formatted(given.size(), MAX_PROMPTS));
    }
    List<Prompt> prompts = new ArrayList<>();
    for (JsonNode each : given) {
      prompts.add(each.isTextual() ? ofText(each.textValue()) : ofIds(each));
    }
    return prompts;
  }

  private Prompt ofText(String text) {
    return new Prompt(Prompts.encode(tokenizer, text), text);
  }

  private Prompt ofIds(JsonNode list) {
    if (!list.isArray() || list.isEmpty()) {
      throw fields.wrongType(PROMPT, list, "a text or a list of ids");
    }
    int[] ids = new int[list.size()];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = id(fields, PROMPT, list.get(i), tokenizer);
    }
    return new Prompt(ids, tokenizer.decode(ids));
  }

  /**
   * Reads a token id.
   *
   * @throws dev.caravan.coordinator.api.ApiException status 400 if it is none of the vocabulary
   */
  static int id(Fields fields, String name, JsonNode id, Tokenizer tokenizer) {
    if (!id.isIntegralNumber()) {
      throw fields.wrongType(name, id, "a token id");
    }
    int last = tokenizer.vocabulary().size() - 1;
    if (!id.canConvertToInt() || id.intValue() < 0 || id.intValue() > last) {
      throw fields.invalid(
          name, "token id %.30s is not in the vocabulary of 0..%d".formatted(id, last));
    }
    return id.intValue();
  }
}
