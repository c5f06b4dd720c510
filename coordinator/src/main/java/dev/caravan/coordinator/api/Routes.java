package dev.caravan.coordinator.api;

import com.linecorp.armeria.server.ServerBuilder;

/**
 * Services that the server offers at their paths. What a caller needs a key for is decided by path:
 * everything under /v1/ and everything that is not a GET.
 */
public interface Routes {

  /** Adds the services. */
  void addTo(ServerBuilder server);
}
