package dev.caravan.bench.collective;

import dev.caravan.proto.wire.FramePool;
import dev.caravan.worker.rpc.CollectiveService;
import dev.caravan.worker.rpc.ConnectedPeers;
import dev.caravan.worker.rpc.ExchangeGrid;
import dev.caravan.worker.rpc.ExchangeTransport;
import dev.caravan.worker.rpc.PeerConnector;
import dev.caravan.worker.rpc.PeerRegistry;
import io.grpc.Server;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/** The part of a worker that exchanges activations: a server on a loopback port, no model. */
final class ExchangeNode implements AutoCloseable {
  private static final long POOL_BYTES = 64L << 20;
  private static final long CONNECT_MILLIS = 20_000;

  private final FramePool pool = new FramePool(POOL_BYTES);
  private final PeerRegistry registry = new PeerRegistry();
  private final PeerConnector connector = new PeerConnector(registry, pool);
  private final Server server =
      ExchangeTransport.server(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
          .addService(new CollectiveService(registry, pool))
          .build();

  /** Starts the server and returns its port. */
  int start() throws IOException {
    return server.start().getPort();
  }

  /** Connects to all others; they must do the same meanwhile. */
  ConnectedPeers connect(ExchangeGrid grid) {
    return connector.connect(grid, CONNECT_MILLIS);
  }

  @Override
  public void close() {
    registry.close();
    server.shutdownNow();
  }
}
