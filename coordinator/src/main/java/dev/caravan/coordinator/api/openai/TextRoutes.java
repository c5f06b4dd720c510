package dev.caravan.coordinator.api.openai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.server.ServerBuilder;
import dev.caravan.coordinator.api.Fields;
import dev.caravan.coordinator.api.JsonService;
import dev.caravan.coordinator.api.Replies;
import dev.caravan.coordinator.api.Routes;
import dev.caravan.coordinator.api.ServedModel;
import dev.caravan.coordinator.api.Serving;
import dev.caravan.coordinator.text.Prompts;
import dev.caravan.coordinator.text.SpecialTokens;

/**
 * Text and ids without generating: POST /tokenize and /detokenize as vLLM has them, and
 * /apply-template as llama.cpp has it.
 */
public final class TextRoutes implements Routes {
  private static final String PROMPT = "prompt";
  private static final String TOKENS = "tokens";

  private final Serving serving;

  public TextRoutes(Serving serving) {
    this.serving = serving;
  }

  @Override
  public void addTo(ServerBuilder server) {
    server.route().post("/tokenize").build(new JsonService(this::tokenize));
    server.route().post("/detokenize").build(new JsonService(this::detokenize));
    server.route().post("/apply-template").build(new JsonService(this::applyTemplate));
  }

  private HttpResponse tokenize(ObjectNode body) {
    ServedModel model = serving.loaded().model();
    Fields fields = new Fields(body);
    GenerationFields.checkModel(fields, model);
    int[] ids = ids(model, fields);
    ObjectNode answer =
        JsonNodeFactory.instance
            .objectNode()
            .put("count", ids.length)
            .put("max_model_len", model.contextLength());
    ArrayNode tokens = answer.putArray(TOKENS);
    for (int id : ids) {
      tokens.add(id);
    }
    if (fields.flag("return_token_strs", false)) {
      TokenTexts texts = new TokenTexts(model.tokenizer());
      ArrayNode strings = answer.putArray("token_strs");
      for (int id : ids) {
        strings.add(texts.distinctText(id));
      }
    } else {
      answer.putNull("token_strs");
    }
    return Replies.ok(answer).toHttpResponse();
  }

  private static int[] ids(ServedModel model, Fields fields) {
    if (fields.has("messages")) {
      return ChatPrompts.ids(model, fields);
    }
    String text =
        fields
            .text(PROMPT)
            .orElseThrow(() -> fields.invalid(PROMPT, "is missing; give a prompt or messages"));
    int[] ids = model.tokenizer().encode(text, SpecialTokens.PARSED);
    return fields.flag("add_special_tokens", true)
        ? Prompts.withBegin(model.tokenizer().vocabulary().bosId(), ids)
        : ids;
  }

  private HttpResponse detokenize(ObjectNode body) {
    ServedModel model = serving.loaded().model();
    Fields fields = new Fields(body);
    GenerationFields.checkModel(fields, model);
    JsonNode given = fields.get(TOKENS);
    if (!given.isArray()) {
      throw fields.wrongType(TOKENS, given, "a list of token ids");
    }
    int[] ids = new int[given.size()];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = CompletionPrompts.id(fields, TOKENS, given.get(i), model.tokenizer());
    }
    return Replies.ok(
            JsonNodeFactory.instance.objectNode().put(PROMPT, model.tokenizer().decode(ids)))
        .toHttpResponse();
  }

  private HttpResponse applyTemplate(ObjectNode body) {
    ServedModel model = serving.loaded().model();
    Fields fields = new Fields(body);
    GenerationFields.checkModel(fields, model);
    return Replies.ok(
            JsonNodeFactory.instance.objectNode().put(PROMPT, ChatPrompts.text(model, fields)))
        .toHttpResponse();
  }
}
