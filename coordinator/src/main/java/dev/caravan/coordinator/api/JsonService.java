package dev.caravan.coordinator.api;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServiceRequestContext;

/** Takes requests whose body is a JSON object. Immutable. */
public final class JsonService implements HttpService {
  private final Handler handler;

  /** Answers a request; called on a thread that may compute for a while. */
  @FunctionalInterface
  public interface Handler {
    /**
     * Answers.
     *
     * @throws ApiException the refusal that the caller gets
     * @throws dev.caravan.model.error.ClusterException an error that the caller gets
     */
    HttpResponse handle(ObjectNode body);
  }

  public JsonService(Handler handler) {
    this.handler = handler;
  }

  @Override
  public HttpResponse serve(ServiceRequestContext context, HttpRequest request) {
    return HttpResponse.of(
        request
            .aggregate()
            .thenApplyAsync(
                whole -> {
                  // The time limit was for the request to arrive; the engine bounds the rest.
                  context.clearRequestTimeout();
                  return handler.handle(JsonBody.parse(whole.content().array()));
                },
                context.blockingTaskExecutor()));
  }
}
