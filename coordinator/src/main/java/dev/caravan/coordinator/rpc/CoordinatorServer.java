package dev.caravan.coordinator.rpc;

import dev.caravan.coordinator.cluster.Membership;
import dev.caravan.model.net.Addresses;
import dev.caravan.proto.wire.ClusterProtocol;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** Listens for workers and watches their leases. */
public final class CoordinatorServer implements AutoCloseable {
  private static final long EXPIRY_PERIOD_MILLIS = 250;

  /** Workers hang up when they hear the goodbye; one that does not is cut off. */
  private static final long GOODBYE_MILLIS = 500;

  private static final int MAX_JOIN_MESSAGE_BYTES = 64 << 10;

  private final Server server;
  private final InetSocketAddress address;
  private final Membership membership;
  private final MembershipService service;
  private final ScheduledExecutorService expiry =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("lease-expiry").factory());

  public CoordinatorServer(InetSocketAddress address, Membership membership) {
    this.address = address;
    this.membership = membership;
    this.service = new MembershipService(membership);
    this.server =
        NettyServerBuilder.forAddress(address)
            // Membership never waits: leases are renewed even if all other threads are starved.
            .directExecutor()
            .maxInboundMessageSize(MAX_JOIN_MESSAGE_BYTES)
            .permitKeepAliveTime(ClusterProtocol.KEEP_ALIVE_SECONDS / 2, TimeUnit.SECONDS)
            .addService(service)
            .build();
  }

  /**
   * Starts to listen.
   *
   * @throws dev.caravan.model.error.ClusterException INVALID_REQUEST if the address cannot be bound
   */
  public void start() {
    try {
      server.start();
    } catch (IOException e) {
      throw Addresses.cannotListen("--listen", address, e);
    }
    expiry.scheduleWithFixedDelay(
        membership::expire, EXPIRY_PERIOD_MILLIS, EXPIRY_PERIOD_MILLIS, TimeUnit.MILLISECONDS);
  }

  /** Returns the port that is listened on. */
  public int port() {
    return server.getPort();
  }

  @Override
  public void close() {
    expiry.shutdownNow();
    service.endAll();
    server.shutdown();
    try {
      if (!server.awaitTermination(GOODBYE_MILLIS, TimeUnit.MILLISECONDS)) {
        server.shutdownNow();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
