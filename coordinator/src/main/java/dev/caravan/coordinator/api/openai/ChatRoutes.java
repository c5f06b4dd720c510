package dev.caravan.coordinator.api.openai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.server.ServerBuilder;
import dev.caravan.coordinator.api.Fields;
import dev.caravan.coordinator.api.JsonService;
import dev.caravan.coordinator.api.Routes;
import dev.caravan.coordinator.api.ServedModel;
import dev.caravan.coordinator.api.Serving;
import dev.caravan.coordinator.generate.EngineRequest;
import java.time.Duration;
import java.util.List;

/** POST /v1/chat/completions. */
public final class ChatRoutes implements Routes {
  private final Serving serving;
  private final Duration timeout;

  /**
   * @param timeout most time of one generation, waiting included
   */
  public ChatRoutes(Serving serving, Duration timeout) {
    this.serving = serving;
    this.timeout = timeout;
  }

  @Override
  public void addTo(ServerBuilder server) {
    server.route().post("/v1/chat/completions").build(new JsonService(this::answer));
  }

  private HttpResponse answer(ObjectNode body) {
    Serving.Loaded loaded = serving.loaded();
    ServedModel model = loaded.model();
    Fields fields = new Fields(body);
    GenerationFields.checkModel(fields, model);
    GenerationParameters parameters = GenerationFields.read(fields, model);
    int topLogprobs = topLogprobs(fields);
    int maxTokens =
        fields.integer(
            fields.has("max_completion_tokens") ? "max_completion_tokens" : "max_tokens",
            model.contextLength(),
            1,
            Integer.MAX_VALUE);
    ChatForm form = ChatForm.read(fields, model);
    int[] prompt = ChatPrompts.ids(model, fields);
    TextRequests.Shape shape =
        new TextRequests.Shape(maxTokens, topLogprobs, false, List.of(), form.constraint());
    ChatFormat format =
        new ChatFormat(
            AnswerHead.of("chatcmpl-", model.id()),
            new TokenTexts(model.tokenizer()),
            topLogprobs != EngineRequest.NO_LOGPROBS,
            form.readers(parameters.choices()));
    return Answering.start(
        loaded.engine(),
        new TextRequests(model, parameters, timeout).of(List.of(prompt), shape),
        format,
        parameters);
  }

  private static int topLogprobs(Fields fields) {
    boolean wanted = fields.flag("logprobs", false);
    int top = fields.integer("top_logprobs", 0, 0, GenerationFields.MAX_TOP_LOGPROBS);
    JsonNode given = fields.get("top_logprobs");
    if (!given.isMissingNode() && !wanted) {
      throw fields.invalid("top_logprobs", "only allowed when logprobs is true");
    }
    return wanted ? top : EngineRequest.NO_LOGPROBS;
  }
}
