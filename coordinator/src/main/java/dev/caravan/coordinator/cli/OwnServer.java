package dev.caravan.coordinator.cli;

import static java.util.Objects.requireNonNull;

import dev.caravan.coordinator.api.ApiKeys;
import dev.caravan.coordinator.api.ApiServer;
import dev.caravan.coordinator.api.ServedModel;
import dev.caravan.coordinator.api.Serving;
import dev.caravan.coordinator.api.openai.ChatRoutes;
import dev.caravan.coordinator.api.openai.CompletionRoutes;
import dev.caravan.coordinator.api.openai.ModelRoutes;
import dev.caravan.coordinator.metrics.Monitor;
import dev.caravan.coordinator.page.PageRoutes;
import dev.caravan.model.error.ClusterException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A server of one command, on a free loopback port, for nobody else: it asks for a key that only
 * this JVM knows. Opened, then start()ed once, then closed, which ends its workers.
 */
final class OwnServer implements AutoCloseable {
  private static final String REQUEST_LOG_LEVEL =
      "org.slf4j.simpleLogger.log.dev.caravan.coordinator.metrics.RequestLog";
  private static final int KEY_BYTES = 16;

  private final Serving serving = new Serving();
  private final String key;
  private final ServedSession session;
  private final ApiServer server;
  private volatile @Nullable Monitor monitor;

  private OwnServer(ServedSession session, String key, ServeOptions serve) {
    this.session = session;
    this.key = key;
    this.server =
        new ApiServer(
            new InetSocketAddress("127.0.0.1", 0),
            new ApiKeys(List.of(key)),
            List.of(
                new ModelRoutes(serving),
                new ChatRoutes(serving, serve.requestTimeout()),
                new CompletionRoutes(serving, serve.requestTimeout()),
                new PageRoutes(this::monitor)));
  }

  /**
   * Opens a model; starts nothing yet.
   *
   * @throws ClusterException what is wrong with the model or the options
   */
  static OwnServer open(
      Path model, ClusterOptions cluster, ServeOptions serve, OutputOptions output) {
    // The command says what it does itself; a line for each request would stand in between.
    System.setProperty(REQUEST_LOG_LEVEL, "warn");
    byte[] key = new byte[KEY_BYTES];
    new SecureRandom().nextBytes(key);
    return new OwnServer(
        ServedSession.open(model, cluster, serve, output), HexFormat.of().formatHex(key), serve);
  }

  ServedModel model() {
    return session.loaded().model();
  }

  /**
   * Starts the cluster, loads the model, and listens.
   *
   * @throws ClusterException whatever kept it from coming up
   */
  void start() {
    session.start(new LoadingMessages(serving));
    monitor = session.monitor();
    serving.ready(session.loaded());
    server.start();
  }

  String url() {
    return "http://127.0.0.1:" + server.port();
  }

  String key() {
    return key;
  }

  private Monitor monitor() {
    return requireNonNull(monitor, "nobody is let in before the model is loaded");
  }

  @Override
  public void close() {
    try (session) {
      server.close();
    }
  }
}
