package dev.caravan.coordinator.api.openai;

import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpResponseWriter;
import dev.caravan.coordinator.api.text.Choices;
import dev.caravan.coordinator.api.text.Reply;
import dev.caravan.coordinator.api.text.TextRequest;
import dev.caravan.coordinator.generate.Engine;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Runs a request's generations and answers as it asked for. */
final class Answering {
  private Answering() {}

  /**
   * Starts the generations. When the caller goes away they are cancelled.
   *
   * @throws dev.caravan.model.error.ClusterException the engine's refusal
   */
  static HttpResponse start(
      Engine engine,
      List<TextRequest> requests,
      AnswerFormat format,
      GenerationParameters parameters) {
    HttpResponseWriter out = HttpResponse.streaming();
    Reply reply =
        parameters.stream()
            ? new StreamReply(
                format, new EventStream(out), requests.size(), parameters.streamUsage())
            : new WholeReply(format, out, requests.size());
    Choices choices = new Choices(reply);
    CompletableFuture<Void> _ = out.whenComplete().whenComplete((_, _) -> choices.cancel());
    choices.start(engine, requests);
    return out;
  }
}
