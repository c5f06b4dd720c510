package dev.caravan.coordinator.rpc;

import dev.caravan.model.step.RuntimeSettings;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;

/**
 * How a cluster is put together.
 *
 * @param model path of the checkpoint, the same on every machine
 * @param ranks tensor-parallel ranks of a stage
 * @param stages pipeline stages
 * @param runtime how the workers compute
 * @param listen where the coordinator waits for workers
 * @param remote true: waits for workers that others start; false: starts its own
 * @param workerCommand starts a local worker JVM
 * @param echoWorkers true: what local workers print goes to standard error
 */
public record ClusterSettings(
    Path model,
    int ranks,
    int stages,
    RuntimeSettings runtime,
    InetSocketAddress listen,
    boolean remote,
    List<String> workerCommand,
    boolean echoWorkers) {

  public int workers() {
    return ranks * stages;
  }
}
