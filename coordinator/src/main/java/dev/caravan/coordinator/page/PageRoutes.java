package dev.caravan.coordinator.page;

import com.linecorp.armeria.common.HttpHeaders;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServerBuilder;
import com.linecorp.armeria.server.file.FileService;
import com.linecorp.armeria.server.file.HttpFile;
import dev.caravan.coordinator.api.Routes;
import dev.caravan.coordinator.metrics.Monitor;
import java.time.Duration;
import java.util.function.Supplier;

/**
 * Offers the web page at /, its files under /page/, the live cluster at /v1/cluster and the metrics
 * at /metrics. Immutable.
 */
public final class PageRoutes implements Routes {
  public static final String METRICS = "/metrics";

  private static final String FILES = "/dev/caravan/coordinator/page/web";
  private static final Duration PERIOD = Duration.ofSeconds(1);

  /** The page loads nothing from elsewhere and is shown in nobody's frame. */
  private static final HttpHeaders SAFETY =
      HttpHeaders.builder()
          .add(
              "content-security-policy",
              "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
                  + "connect-src 'self'; base-uri 'none'; form-action 'none'; "
                  + "frame-ancestors 'none'")
          .add("x-content-type-options", "nosniff")
          .add("x-frame-options", "DENY")
          .add("referrer-policy", "no-referrer")
          .add("cross-origin-opener-policy", "same-origin")
          // Every answer has an ETag: asking again is cheap, and an upgrade is seen at once.
          .add("cache-control", "no-cache")
          .build();

  private final Supplier<Monitor> monitor;

  /**
   * @param monitor of the loaded cluster; throws a ClusterException while there is none
   */
  public PageRoutes(Supplier<Monitor> monitor) {
    this.monitor = monitor;
  }

  @Override
  public void addTo(ServerBuilder server) {
    ClassLoader classes = PageRoutes.class.getClassLoader();
    HttpService page =
        HttpFile.builder(classes, FILES + "/index.html").setHeaders(SAFETY).build().asService();
    server
        .route()
        .get("/")
        .build(page)
        .serviceUnder("/page/", FileService.builder(classes, FILES).setHeaders(SAFETY).build())
        .route()
        .get("/v1/cluster")
        .build(new ClusterService(monitor, PERIOD))
        .route()
        .get(METRICS)
        .build(new MetricsService(monitor));
  }
}
