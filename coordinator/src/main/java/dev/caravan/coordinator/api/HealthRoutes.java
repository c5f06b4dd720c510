package dev.caravan.coordinator.api;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServerBuilder;

/** Probes: /livez says that the process runs, /readyz and /health that it can generate. */
public final class HealthRoutes implements Routes {
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
    server.service("/livez", (_, _) -> ok());
    server.service("/readyz", ready);
    server.service("/health", ready);
  }

  private static HttpResponse ok() {
    return Replies.ok(JsonNodeFactory.instance.objectNode().put("status", "ok")).toHttpResponse();
  }
}
