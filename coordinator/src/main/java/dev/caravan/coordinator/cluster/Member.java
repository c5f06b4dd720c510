package dev.caravan.coordinator.cluster;

/**
 * A worker that joined.
 *
 * @param id chosen by whoever started it
 * @param host where the coordinator and other workers reach it
 * @param port TCP port of that host
 * @param processors available to it
 * @param memoryBytes physical memory available to it
 * @param processId on its machine
 */
public record Member(
    String id, String host, int port, int processors, long memoryBytes, long processId) {

  public String address() {
    return host.contains(":") ? "[" + host + "]:" + port : host + ":" + port;
  }

  /** Names the worker for people. */
  public String describe() {
    return "worker %s (%s, process %d)".formatted(id, address(), processId);
  }
}
