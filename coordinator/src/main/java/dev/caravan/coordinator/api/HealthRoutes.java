package dev.caravan.coordinator.api;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServerBuilder;

/** Probes: /livez says that the process runs, /readyz and /health that it can generate. */
public final class HealthRoutes implements Routes {
  public static final String LIVE = "/livez";
  public static final String READY = "/readyz";

  private final Readiness readiness;

  public HealthRoutes(Readiness readiness) {
    this.readiness = readiness;
  }

  @Override
  public void addTo(ServerBuilder server) {
    HttpService ready =
        (_, _) -> {
          readiness.check();
          return ok();
        };
    server.service(LIVE, (_, _) -> ok());
    server.service(READY, ready);
    server.service("/health", ready);
  }

  private static HttpResponse ok() {
    return Replies.ok(JsonNodeFactory.instance.objectNode().put("status", "ok")).toHttpResponse();
  }
}
