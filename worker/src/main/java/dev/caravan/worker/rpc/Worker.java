package dev.caravan.worker.rpc;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.proto.membership.v1.WorkerHello;
import dev.caravan.proto.wire.ClusterProtocol;
import dev.caravan.proto.wire.FramePool;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A worker: joins a coordinator and computes what it is given until the coordinator ends it.
 *
 * @param coordinator where the coordinator listens
 * @param listen where this worker listens; port 0 for a free one
 * @param id name in the cluster; null for host and process id
 * @param model where this machine keeps the model; null for the coordinator's path
 * @param joinDeadline how long it tries to reach the coordinator
 */
record Worker(
    InetSocketAddress coordinator,
    InetSocketAddress listen,
    @Nullable String id,
    @Nullable Path model,
    Duration joinDeadline) {
  private static final long FRAME_POOL_BYTES = 256L << 20;

  /**
   * Runs until the coordinator ends the membership.
   *
   * @throws ClusterException INCOMPATIBLE if it is refused, MODEL_NOT_READY if the coordinator is
   *     not there, WORKER_LOST if the connection breaks
   */
  void run() throws InterruptedException {
    FramePool frames = new FramePool(FRAME_POOL_BYTES);
    try (PeerRegistry registry = new PeerRegistry();
        WorkerService service =
            new WorkerService(new ShardHost(new PeerConnector(registry, frames), model));
        WorkerServer server =
            new WorkerServer(listen, List.of(service, new CollectiveService(registry, frames)));
        MembershipClient membership = new MembershipClient(coordinator)) {
      server.start();
      membership.join(hello(server.port()), joinDeadline);
      if (!membership.awaitEnd()) {
        throw new ClusterException(
            ErrorCode.WORKER_LOST,
            "lost the coordinator at %s:%d"
                .formatted(coordinator.getHostString(), coordinator.getPort()));
      }
    }
  }

  private WorkerHello hello(int port) {
    String host = reachableHost();
    long processId = ProcessHandle.current().pid();
    return WorkerHello.newBuilder()
        .setProtocolVersion(ClusterProtocol.VERSION)
        .setWorkerId(id == null ? host + "-" + processId : id)
        .setHost(host)
        .setPort(port)
        .setProcessors(Runtime.getRuntime().availableProcessors())
        .setMemoryBytes(memoryBytes())
        .setProcessId(processId)
        .build();
  }

  private static long memoryBytes() {
    return ManagementFactory.getOperatingSystemMXBean()
            instanceof com.sun.management.OperatingSystemMXBean system
        ? system.getTotalMemorySize()
        : Runtime.getRuntime().maxMemory();
  }

  /**
   * Returns the address that others reach: for a wildcard, the one that reaches the coordinator.
   */
  private String reachableHost() {
    InetAddress address = listen.getAddress();
    if (address == null || !address.isAnyLocalAddress()) {
      return listen.getHostString();
    }
    try (DatagramSocket socket = new DatagramSocket()) {
      socket.connect(coordinator);
      return socket.getLocalAddress().getHostAddress();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
