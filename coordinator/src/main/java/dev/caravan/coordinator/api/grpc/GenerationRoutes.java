package dev.caravan.coordinator.api.grpc;

import com.linecorp.armeria.server.ServerBuilder;
import com.linecorp.armeria.server.grpc.GrpcService;
import dev.caravan.coordinator.api.Routes;
import dev.caravan.coordinator.api.Serving;
import java.time.Duration;

/** caravan.generation.v1.GenerationService, on the port of the HTTP server. */
public final class GenerationRoutes implements Routes {
  private static final int MAX_REQUEST_BYTES = 4 << 20;

  private final Serving serving;
  private final Duration timeout;

  /**
   * @param timeout most time of one generation, waiting included
   */
  public GenerationRoutes(Serving serving, Duration timeout) {
    this.serving = serving;
    this.timeout = timeout;
  }

  @Override
  public void addTo(ServerBuilder server) {
    server.service(
        GrpcService.builder()
            .addService(new GenerationService(serving, timeout))
            .maxRequestMessageLength(MAX_REQUEST_BYTES)
            .useBlockingTaskExecutor(true)
            .build());
  }
}
