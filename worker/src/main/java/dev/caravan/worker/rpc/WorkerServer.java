package dev.caravan.worker.rpc;

import dev.caravan.model.net.Addresses;
import io.grpc.BindableService;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Listens for the coordinator and for other workers. */
final class WorkerServer implements AutoCloseable {
  private final InetSocketAddress address;
  private final Server server;

  WorkerServer(InetSocketAddress address, StepLoop loop, List<BindableService> services) {
    this.address = address;
    NettyServerBuilder builder = ExchangeTransport.server(address, loop);
    services.forEach(builder::addService);
    this.server = builder.build();
  }

  /**
   * Starts to listen.
   *
   * @throws dev.caravan.model.error.ClusterException INVALID_REQUEST if the address cannot be bound
   */
  void start() {
    try {
      server.start();
    } catch (IOException e) {
      throw Addresses.cannotListen("--listen", address, e);
    }
  }

  int port() {
    return server.getPort();
  }

  @Override
  public void close() {
    server.shutdownNow();
    try {
      server.awaitTermination(2, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
