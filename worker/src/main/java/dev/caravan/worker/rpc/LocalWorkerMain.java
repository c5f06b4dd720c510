package dev.caravan.worker.rpc;

import dev.caravan.model.error.ClusterException;
import java.net.InetSocketAddress;
import java.time.Duration;

/**
 * A worker that a coordinator starts on its own machine: {@code PORT ID}. Without an option parser,
 * since there are many of them and each start counts.
 */
public final class LocalWorkerMain {
  /** Longer than the coordinator waits: it is the one that gives up, and says why. */
  private static final Duration JOIN_DEADLINE = Duration.ofMinutes(3);

  private static final int EXIT_CLUSTER = 3;
  private static final String LOOPBACK = "127.0.0.1";

  private LocalWorkerMain() {}

  public static void main(String[] arguments) throws InterruptedException {
    Worker worker =
        new Worker(
            new InetSocketAddress(LOOPBACK, Integer.parseInt(arguments[0])),
            new InetSocketAddress(LOOPBACK, 0),
            arguments[1],
            null,
            JOIN_DEADLINE,
            false);
    try {
      worker.run();
    } catch (ClusterException e) {
      System.err.println(e.getMessage());
      System.exit(EXIT_CLUSTER);
    }
    // Threads of the transport may linger; the work is done.
    System.exit(0);
  }
}
