package dev.caravan.coordinator.api;

import com.linecorp.armeria.common.Flags;
import com.linecorp.armeria.common.metric.NoopMeterRegistry;
import com.linecorp.armeria.common.util.TransportType;
import com.linecorp.armeria.server.Server;
import com.linecorp.armeria.server.ServerBuilder;
import dev.caravan.model.net.Addresses;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionException;

/**
 * The HTTP server. Constructed, then start()ed once, then closed; close() waits a moment for
 * answers that are being sent and is idempotent. Thread-safe.
 */
public final class ApiServer implements AutoCloseable {
  private static final int MAX_BODY_BYTES = 4 << 20;

  /** As JSON they take several times their bytes. */
  private static final int HEAP_PER_BODIES = 16;

  private static final int MAX_CONNECTIONS = 1024;
  private static final int MAX_STREAMS_PER_CONNECTION = 128;
  private static final int MAX_HEADER_BYTES = 16 << 10;
  private static final int MAX_LINE_BYTES = 4 << 10;
  private static final Duration REQUEST_ARRIVES_WITHIN = Duration.ofSeconds(30);
  private static final Duration IDLE_CONNECTION = Duration.ofSeconds(60);

  private final InetSocketAddress address;
  private final Server server;

  /**
   * @param keys who may call
   * @param routes what is offered
   */
  public ApiServer(InetSocketAddress address, ApiKeys keys, List<Routes> routes) {
    this(address, keys, routes, Runtime.getRuntime().maxMemory() / HEAP_PER_BODIES);
  }

  /**
   * @param maxBodiesBytes of all bodies together that are not answered yet
   */
  ApiServer(InetSocketAddress address, ApiKeys keys, List<Routes> routes, long maxBodiesBytes) {
    this.address = address;
    ServerBuilder builder =
        Server.builder()
            .http(address)
            .maxNumConnections(MAX_CONNECTIONS)
            .http2MaxStreamsPerConnection(MAX_STREAMS_PER_CONNECTION)
            .maxRequestLength(MAX_BODY_BYTES)
            .http1MaxHeaderSize(MAX_HEADER_BYTES)
            .http1MaxInitialLineLength(MAX_LINE_BYTES)
            .http2MaxHeaderListSize(MAX_HEADER_BYTES)
            .requestTimeout(REQUEST_ARRIVES_WITHIN)
            .idleTimeout(IDLE_CONNECTION)
            .gracefulShutdownTimeout(Duration.ofMillis(100), Duration.ofSeconds(2))
            .blockingTaskExecutor(Math.max(4, 2 * Runtime.getRuntime().availableProcessors()))
            .disableServerHeader()
            .unloggedExceptionsReportIntervalMillis(0)
            .meterRegistry(NoopMeterRegistry.get())
            .errorHandler(new ErrorReplies())
            .decorator(new BodyBudget(maxBodiesBytes, MAX_BODY_BYTES))
            .decorator(keys);
    if (!address.isUnresolved() && address.getAddress().isLoopbackAddress() && !keys.isNeeded()) {
      builder.decorator(new LoopbackGuard());
    }
    if (Flags.transportType() == TransportType.NIO) { // else a library brought native channels
      builder.bossGroupFactory(Acceptor::new);
    }
    routes.forEach(each -> each.addTo(builder));
    this.server = builder.build();
  }

  /**
   * Starts to listen.
   *
   * @throws dev.caravan.model.error.ClusterException INVALID_REQUEST if the address cannot be bound
   */
  public void start() {
    try {
      server.start().join();
    } catch (CompletionException e) {
      throw Addresses.cannotListen("--http", address, e);
    }
  }

  /** Returns the port that is listened on. */
  public int port() {
    return server.activeLocalPort();
  }

  @Override
  public void close() {
    server.stop().join();
  }
}
