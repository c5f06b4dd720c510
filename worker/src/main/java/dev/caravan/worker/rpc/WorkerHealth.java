package dev.caravan.worker.rpc;

import io.grpc.BindableService;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.protobuf.services.HealthStatusManager;

/**
 * Answers health checks of gRPC (grpc.health.v1). Thread-safe.
 *
 * <p>The service with the empty name serves while the process lives, whatever its peers and its
 * coordinator do; the service {@value #READY} while the worker holds its shard and has its peers.
 */
public final class WorkerHealth {
  /** Name of the service that serves while the worker can compute. */
  public static final String READY = "ready";

  private final HealthStatusManager statuses = new HealthStatusManager();

  WorkerHealth() {
    ready(false);
  }

  /** Says whether the worker can compute. */
  void ready(boolean ready) {
    statuses.setStatus(READY, ready ? ServingStatus.SERVING : ServingStatus.NOT_SERVING);
  }

  BindableService service() {
    return statuses.getHealthService();
  }
}
