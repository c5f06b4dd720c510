package dev.caravan.coordinator.api.openai;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.server.ServerBuilder;
import dev.caravan.coordinator.api.Fields;
import dev.caravan.coordinator.api.JsonService;
import dev.caravan.coordinator.api.Routes;
import dev.caravan.coordinator.api.ServedModel;
import dev.caravan.coordinator.api.Serving;
import dev.caravan.coordinator.generate.EngineRequest;
import dev.caravan.coordinator.text.StreamingDecoder.Option;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** POST /v1/completions. */
public final class CompletionRoutes implements Routes {
  private static final int DEFAULT_MAX_TOKENS = 16;

  private final Serving serving;
  private final Duration timeout;

  /**
   * @param timeout most time of one generation, waiting included
   */
  public CompletionRoutes(Serving serving, Duration timeout) {
    this.serving = serving;
    this.timeout = timeout;
  }

  @Override
  public void addTo(ServerBuilder server) {
    server.route().post("/v1/completions").build(new JsonService(this::answer));
  }

  private HttpResponse answer(ObjectNode body) {
    Serving.Loaded loaded = serving.loaded();
    ServedModel model = loaded.model();
    Fields fields = new Fields(body);
    GenerationFields.checkModel(fields, model);
    refuse(fields);
    GenerationParameters parameters = GenerationFields.read(fields, model);
    boolean echo = fields.flag("echo", false);
    int topLogprobs =
        fields.integer("logprobs", EngineRequest.NO_LOGPROBS, 0, GenerationFields.MAX_TOP_LOGPROBS);
    boolean scored = topLogprobs != EngineRequest.NO_LOGPROBS;
    int maxTokens = fields.integer("max_tokens", DEFAULT_MAX_TOKENS, 0, Integer.MAX_VALUE);
    List<Prompt> prompts = new CompletionPrompts(fields, model.tokenizer()).read();
    int choices = prompts.size() * parameters.choices();
    if (choices > GenerationFields.MAX_CHOICES) {
      throw fields.invalid(
          "n",
          "%d prompts x %d choices are over %d in one request"
              .formatted(prompts.size(), parameters.choices(), GenerationFields.MAX_CHOICES));
    }
    CompletionFormat format =
        new CompletionFormat(
            AnswerHead.of("cmpl-", model.id()),
            new Echo(model.tokenizer(), echo ? prompts : List.of(), parameters.choices()),
            scored);
    TextRequests.Shape shape =
        new TextRequests.Shape(
            maxTokens,
            topLogprobs,
            echo && scored,
            List.of(Option.CONTINUES_TEXT),
            Optional.empty());
    return Answering.start(
        loaded.engine(),
        new TextRequests(model, parameters, timeout)
            .of(prompts.stream().map(Prompt::ids).toList(), shape),
        format,
        parameters);
  }

  private static void refuse(Fields fields) {
    if (fields.has("suffix")) {
      throw fields.invalid("suffix", "text is only ever added at the end");
    }
    for (String name : List.of("response_format", "tools", "tool_choice")) {
      if (fields.has(name)) {
        throw fields.invalid(name, "only chats know it; use /v1/chat/completions");
      }
    }
    if (fields.integer("best_of", 1, 1, Integer.MAX_VALUE) > 1) {
      throw fields.invalid("best_of", "only 1 is supported; ask for several with n");
    }
  }
}
