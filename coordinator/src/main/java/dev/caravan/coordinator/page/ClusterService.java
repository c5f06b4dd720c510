package dev.caravan.coordinator.page;

import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpResponseWriter;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.ResponseHeaders;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServiceRequestContext;
import dev.caravan.coordinator.metrics.Monitor;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * Serves what {@link ClusterView} sees: once as JSON, or every second as server-sent events to
 * those who accept them. Thread-safe.
 */
final class ClusterService implements HttpService {
  /** Most event streams at once. */
  static final int MAX_WATCHERS = 64;

  private static final Duration LONGEST_WATCH = Duration.ofMinutes(10);

  private final Supplier<Monitor> monitor;
  private final Duration period;
  private final AtomicInteger watchers = new AtomicInteger();

  /**
   * @param monitor of the loaded cluster; throws a ClusterException while there is none
   * @param period between two events
   */
  ClusterService(Supplier<Monitor> monitor, Duration period) {
    this.monitor = monitor;
    this.period = period;
  }

  @Override
  public HttpResponse serve(ServiceRequestContext context, HttpRequest request) {
    String json = json();
    // Only who names the type gets a stream: "accept anything" means one answer.
    boolean watches =
        request.headers().accept().stream().anyMatch(type -> type.is(MediaType.EVENT_STREAM));
    return watches
        ? watch(context, json)
        : HttpResponse.of(headers(MediaType.JSON), HttpData.ofUtf8(json));
  }

  private HttpResponse watch(ServiceRequestContext context, String json) {
    if (watchers.incrementAndGet() > MAX_WATCHERS) {
      watchers.decrementAndGet();
      throw new ClusterException(
          ErrorCode.OVERLOADED,
          "%d others watch the cluster already; try again later".formatted(MAX_WATCHERS));
    }
    context.clearRequestTimeout();
    HttpResponseWriter writer = HttpResponse.streaming();
    Future<?> end =
        context
            .eventLoop()
            .schedule((Runnable) writer::close, LONGEST_WATCH.toMillis(), TimeUnit.MILLISECONDS);
    writer
        .whenComplete()
        .whenComplete((done, error) -> {
          watchers.decrementAndGet();
          end.cancel(false);
        });
    writer.write(headers(MediaType.EVENT_STREAM));
    tell(context, writer, json);
    return writer;
  }

  /** Sends one event, and the next a period after the watcher has taken this one. */
  private void tell(ServiceRequestContext context, HttpResponseWriter writer, String json) {
    if (!writer.tryWrite(HttpData.ofUtf8("data: " + json + "\n\n"))) {
      return;
    }
    writer
        .whenConsumed()
        .thenRun(() ->
            context
                .eventLoop()
                .schedule(
                    () -> tell(context, writer, json()), period.toMillis(), TimeUnit.MILLISECONDS));
  }

  private String json() {
    return new ClusterView(monitor.get()).json();
  }

  private static ResponseHeaders headers(MediaType type) {
    return ResponseHeaders.builder(HttpStatus.OK)
        .contentType(type)
        .set(HttpHeaderNames.CACHE_CONTROL, "no-store")
        .build();
  }
}
