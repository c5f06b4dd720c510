package dev.caravan.worker.rpc;

import dev.caravan.proto.wire.FramePool;
import dev.caravan.worker.collective.Ranks;
import dev.caravan.worker.rpc.ExchangeGrid.Member;
import io.grpc.Server;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Workers without models: real servers with real streams between them, all in this JVM. */
final class ExchangeNodes implements AutoCloseable {
  private static final long CONNECT_MILLIS = 20_000;
  private static final Duration DEADLINE = Duration.ofMinutes(1);

  final List<Node> nodes = new ArrayList<>();
  final List<ConnectedPeers> connected = new ArrayList<>();

  /** One of them. */
  static final class Node implements AutoCloseable {
    final FramePool pool = new FramePool(64 << 20);
    final PeerRegistry registry = new PeerRegistry();
    final StepLoop loop = new StepLoop();
    final PeerConnector connector = new PeerConnector(registry, pool, loop);
    final Server server;
    final int port;

    Node() throws IOException {
      server =
          ExchangeTransport.server(new InetSocketAddress("127.0.0.1", 0), loop)
              .addService(new CollectiveService(registry, pool, loop))
              .build()
              .start();
      port = server.getPort();
    }

    @Override
    public void close() {
      registry.close();
      server.shutdownNow();
    }
  }

  /** Starts the nodes of a grid and connects them: node and peers of (s, r) at s * ranks + r. */
  void connect(int epoch, int stages, int ranks) throws Exception {
    List<Member> members = new ArrayList<>();
    for (int i = 0; i < stages * ranks; i++) {
      nodes.add(new Node());
      members.add(new Member(i / ranks, i % ranks, "127.0.0.1", nodes.get(i).port));
    }
    ConnectedPeers[] peers = new ConnectedPeers[stages * ranks];
    Ranks.runAll(
        stages * ranks,
        i -> {
          ExchangeGrid grid = new ExchangeGrid(epoch, i / ranks, i % ranks, members);
          peers[i] = nodes.get(i).connector.connect(grid, CONNECT_MILLIS);
        });
    connected.addAll(Arrays.asList(peers));
  }

  /** Runs all ranks at once, each on the thread that moves its frames, as steps run. */
  void runAll(int count, Ranks.Work work) throws Exception {
    Ranks.runAll(
        count,
        i ->
            nodes
                .get(i)
                .loop
                .call(
                    () -> {
                      work.run(i);
                      return i;
                    },
                    DEADLINE));
  }

  @Override
  public void close() {
    connected.forEach(ConnectedPeers::close);
    nodes.forEach(Node::close);
    try {
      for (Node node : nodes) {
        if (!node.server.awaitTermination(10, TimeUnit.SECONDS)) {
          throw new IllegalStateException(
              "the server on port %d does not end".formatted(node.port));
        }
        node.loop.close();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
