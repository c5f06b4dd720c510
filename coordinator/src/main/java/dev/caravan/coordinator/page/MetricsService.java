package dev.caravan.coordinator.page;

import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.ResponseHeaders;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServiceRequestContext;
import dev.caravan.coordinator.metrics.Monitor;
import java.util.function.Supplier;

/** Serves the metrics in the Prometheus text format. Thread-safe. */
final class MetricsService implements HttpService {
  private static final MediaType TEXT_0_0_4 =
      MediaType.parse("text/plain; version=0.0.4; charset=utf-8");

  private final Supplier<Monitor> monitor;

  /**
   * @param monitor of the loaded cluster; throws a ClusterException while there is none
   */
  MetricsService(Supplier<Monitor> monitor) {
    this.monitor = monitor;
  }

  @Override
  public HttpResponse serve(ServiceRequestContext context, HttpRequest request) {
    ResponseHeaders headers =
        ResponseHeaders.builder(HttpStatus.OK)
            .contentType(TEXT_0_0_4)
            .set(HttpHeaderNames.CACHE_CONTROL, "no-store")
            .build();
    return HttpResponse.of(headers, HttpData.ofUtf8(monitor.get().metrics()));
  }
}
