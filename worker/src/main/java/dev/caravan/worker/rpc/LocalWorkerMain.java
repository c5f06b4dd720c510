package dev.caravan.worker.rpc;

import java.net.InetSocketAddress;
import java.time.Duration;

/**
 * A worker that a coordinator starts on its own machine: {@code PORT ID}. Without an option parser,
 * since there are many of them and each start counts.
 */
public final class LocalWorkerMain {
  private static final Duration JOIN_DEADLINE = Duration.ofSeconds(30);
  private static final String LOOPBACK = "127.0.0.1";

  private LocalWorkerMain() {}

  public static void main(String[] arguments) throws InterruptedException {
    new Worker(
            new InetSocketAddress(LOOPBACK, Integer.parseInt(arguments[0])),
            new InetSocketAddress(LOOPBACK, 0),
            arguments[1],
            null,
            JOIN_DEADLINE)
        .run();
    // Threads of the transport may linger; the work is done.
    System.exit(0);
  }
}
