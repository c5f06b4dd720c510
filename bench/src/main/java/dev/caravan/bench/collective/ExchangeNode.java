package dev.caravan.bench.collective;

import dev.caravan.proto.wire.FramePool;
import dev.caravan.worker.rpc.CollectiveService;
import dev.caravan.worker.rpc.ConnectedPeers;
import dev.caravan.worker.rpc.ExchangeGrid;
import dev.caravan.worker.rpc.ExchangeTransport;
import dev.caravan.worker.rpc.PeerConnector;
import dev.caravan.worker.rpc.PeerRegistry;
import dev.caravan.worker.rpc.StepLoop;
import io.grpc.Server;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.Callable;

/** The part of a worker that exchanges activations: a server on a loopback port, no model. */
final class ExchangeNode implements AutoCloseable {
  private static final long POOL_BYTES = 64L << 20;
  private static final long CONNECT_MILLIS = 20_000;
  private static final Duration DEADLINE = Duration.ofMinutes(10);

  private final FramePool pool = new FramePool(POOL_BYTES);
  private final PeerRegistry registry = new PeerRegistry();
  private final StepLoop loop = new StepLoop();
  private final PeerConnector connector = new PeerConnector(registry, pool, loop);
  private final Server server =
      ExchangeTransport.server(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), loop)
          .addService(new CollectiveService(registry, pool, loop))
          .build();

  /** Starts the server and returns its port. */
  int start() throws IOException {
    return server.start().getPort();
  }

  /** Connects to all others; they must do the same meanwhile. */
  ConnectedPeers connect(ExchangeGrid grid) {
    return connector.connect(grid, CONNECT_MILLIS);
  }

  /** Does something on the thread that moves the frames, as a worker's steps do. */
  <T> T call(Callable<T> call) {
    return loop.call(call, DEADLINE);
  }

  @Override
  public void close() {
    registry.close();
    server.shutdownNow();
    loop.close();
  }
}
