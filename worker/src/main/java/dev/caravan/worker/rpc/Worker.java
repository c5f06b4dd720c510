package dev.caravan.worker.rpc;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.proto.membership.v1.WorkerHello;
import dev.caravan.proto.wire.ClusterProtocol;
import dev.caravan.proto.wire.FramePool;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A worker: joins a coordinator and computes what it is given until the coordinator ends it.
 *
 * @param coordinator where the coordinator listens
 * @param listen where this worker listens; port 0 for a free one
 * @param id name in the cluster; null for host and process id
 * @param model where this machine keeps the model; null for the coordinator's path
 * @param joinDeadline how long it tries to reach the coordinator
 * @param stay true: looks for a coordinator again when the membership ends, with its shard kept
 */
record Worker(
    InetSocketAddress coordinator,
    InetSocketAddress listen,
    @Nullable String id,
    @Nullable Path model,
    Duration joinDeadline,
    boolean stay) {
  private static final Logger LOG = LoggerFactory.getLogger(Worker.class);
  private static final long FRAME_POOL_BYTES = 256L << 20;

  /** On SIGTERM: enough for a coordinator that lives to hear that this worker leaves. */
  private static final Duration GOODBYE = Duration.ofSeconds(2);

  /**
   * Runs until the coordinator ends the membership, or for ever if it stays.
   *
   * @throws ClusterException INCOMPATIBLE if it is refused, MODEL_NOT_READY if the coordinator is
   *     not there, WORKER_LOST if the connection breaks and it does not stay
   */
  void run() throws InterruptedException {
    FramePool frames = new FramePool(FRAME_POOL_BYTES);
    WorkerHealth health = new WorkerHealth();
    try (PeerRegistry registry = new PeerRegistry();
        StepLoop loop = new StepLoop()) {
      ShardHost host = new ShardHost(new PeerConnector(registry, frames, loop), model);
      try (WorkerService service = new WorkerService(host, loop, health);
          WorkerServer server =
              new WorkerServer(
                  listen,
                  loop,
                  List.of(
                      service, new CollectiveService(registry, frames, loop), health.service()))) {
        server.start();
        do {
          beMember(host, server.port());
        } while (stay);
      }
    }
  }

  /** Joins and stays a member until the membership ends. */
  private void beMember(ShardHost host, int port) throws InterruptedException {
    try (MembershipClient membership = new MembershipClient(coordinator)) {
      Thread goodbye = new Thread(() -> membership.leave(GOODBYE), "goodbye");
      Runtime.getRuntime().addShutdownHook(goodbye);
      membership.join(() -> hello(port, host.latestEpoch()), joinDeadline);
      boolean inOrder = membership.awaitEnd();
      endHook(goodbye);
      String where = coordinator.getHostString() + ":" + coordinator.getPort();
      if (stay) {
        LOG.warn(
            "the coordinator at {} {}; looking for it again",
            where,
            inOrder ? "ended" : "was lost");
      } else if (!inOrder) {
        throw new ClusterException(ErrorCode.WORKER_LOST, "lost the coordinator at " + where);
      }
    }
  }

  private static void endHook(Thread hook) {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException alreadyShuttingDown) {
      LOG.debug("the goodbye is on its way", alreadyShuttingDown);
    }
  }

  private WorkerHello hello(int port, int latestEpoch) {
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
        .setLastEpoch(latestEpoch)
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
    InetSocketAddress there =
        new InetSocketAddress(coordinator.getHostString(), coordinator.getPort());
    if (there.isUnresolved()) {
      throw new ClusterException(
          ErrorCode.MODEL_NOT_READY,
          "the name of the coordinator, %s, is not known (yet?)"
              .formatted(coordinator.getHostString()));
    }
    try (DatagramSocket socket = new DatagramSocket()) {
      socket.connect(there);
      return socket.getLocalAddress().getHostAddress();
    } catch (IOException e) {
      throw new ClusterException(
          ErrorCode.MODEL_NOT_READY,
          "no way to %s from here: %s".formatted(there, e.getMessage()),
          e);
    }
  }
}
