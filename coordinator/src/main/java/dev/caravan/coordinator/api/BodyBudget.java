package dev.caravan.coordinator.api;

import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.logging.RequestLogProperty;
import com.linecorp.armeria.server.DecoratingHttpServiceFunction;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServiceRequestContext;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Bounds the bytes of all bodies together that arrive or are not answered yet: many callers with
 * large bodies would otherwise take all the memory. Thread-safe.
 */
final class BodyBudget implements DecoratingHttpServiceFunction {
  private final long maxBytes;
  private final long maxBodyBytes;
  private final AtomicLong takenBytes = new AtomicLong();

  /**
   * @param maxBytes of all bodies together
   * @param maxBodyBytes of one body: so much is taken for one that does not say its length, until
   *     it has arrived
   */
  BodyBudget(long maxBytes, long maxBodyBytes) {
    this.maxBytes = maxBytes;
    this.maxBodyBytes = maxBodyBytes;
  }

  /**
   * {@inheritDoc}
   *
   * @throws ClusterException OVERLOADED, which is status 429, if the body goes over the budget
   */
  @Override
  public HttpResponse serve(HttpService service, ServiceRequestContext context, HttpRequest request)
      throws Exception {
    boolean isEmpty =
        switch (request.method()) {
          case GET, HEAD -> true;
          default -> request.headers().contentLength() == 0;
        };
    if (isEmpty) {
      return service.serve(context, request);
    }
    long declared = request.headers().contentLength();
    AtomicLong ofRequest = new AtomicLong(declared < 0 ? maxBodyBytes : declared);
    long taken = takenBytes.addAndGet(ofRequest.get());
    if (taken > maxBytes) {
      set(ofRequest, 0);
      throw new ClusterException(
          ErrorCode.OVERLOADED,
          "the bodies of all requests together would be %d bytes, over %d; try again later"
              .formatted(taken, maxBytes));
    }
    CompletableFuture<Void> _ =
        context.log().whenRequestComplete().thenAccept(log -> set(ofRequest, log.requestLength()));
    CompletableFuture<Void> _ =
        context
            .log()
            .whenAvailable(RequestLogProperty.RESPONSE_HEADERS)
            .thenRun(() -> set(ofRequest, 0));
    HttpResponse response = service.serve(context, request);
    // Who hangs up gets no headers.
    CompletableFuture<Void> _ = response.whenComplete().whenComplete((_, _) -> set(ofRequest, 0));
    return response;
  }

  /** Changes what a request takes; what was given back stays so. */
  private void set(AtomicLong ofRequest, long bytes) {
    long before = ofRequest.getAndUpdate(now -> now == 0 ? 0 : bytes);
    if (before != 0) {
      takenBytes.addAndGet(bytes - before);
    }
  }
}
