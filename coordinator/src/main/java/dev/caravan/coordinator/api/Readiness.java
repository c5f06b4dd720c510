package dev.caravan.coordinator.api;

/** Says whether generations can succeed. */
@FunctionalInterface
public interface Readiness {

  /**
   * Checks.
   *
   * @throws dev.caravan.model.error.ClusterException MODEL_NOT_READY if they cannot, and why
   */
  void check();
}
