package dev.caravan.coordinator.cli;

import static java.util.Objects.requireNonNull;

import dev.caravan.coordinator.api.ApiServer;
import dev.caravan.coordinator.api.HealthRoutes;
import dev.caravan.coordinator.api.ReadinessProbe;
import dev.caravan.coordinator.api.Routes;
import dev.caravan.coordinator.api.Serving;
import dev.caravan.coordinator.api.grpc.GenerationRoutes;
import dev.caravan.coordinator.api.openai.ChatRoutes;
import dev.caravan.coordinator.api.openai.CompletionRoutes;
import dev.caravan.coordinator.api.openai.ModelRoutes;
import dev.caravan.coordinator.api.openai.TextRoutes;
import dev.caravan.coordinator.metrics.Monitor;
import dev.caravan.coordinator.page.PageRoutes;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.model.net.Addresses;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jline.utils.Signals;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Serves a model over HTTP until it is told to end. */
@Command(
    name = "serve",
    mixinStandardHelpOptions = true,
    description = "Serves a model: OpenAI's HTTP API, and gRPC on the same port.")
final class ServeCommand implements Callable<Integer> {
  /** A forward pass through all workers within this time makes the server ready. */
  private static final Duration READY_WITHIN = Duration.ofSeconds(60);

  private static final int EXIT_CUT_SHORT = 130;

  @Mixin private ModelOption model = new ModelOption();
  @Mixin private ClusterOptions cluster = new ClusterOptions();
  @Mixin private ServeOptions serve = new ServeOptions();
  @Mixin private OutputOptions output = new OutputOptions();

  @Option(
      names = "--http",
      paramLabel = "HOST:PORT",
      description = "where to listen; port 0 takes a free one (default: ${DEFAULT-VALUE})")
  private String http = "127.0.0.1:8080";

  private final Serving serving = new Serving();
  private final CountDownLatch ended = new CountDownLatch(1);
  private volatile @Nullable Monitor monitor;

  @Override
  public Integer call() throws InterruptedException {
    logEvents();
    InetSocketAddress address = Addresses.parse("--http", http);
    serve.check();
    cluster.defaultContext(ServeOptions.DEFAULT_CONTEXT);
    try (ReadinessProbe probe = new ReadinessProbe(serving, READY_WITHIN, System::nanoTime);
        ApiServer server = new ApiServer(address, serve.keys(), routes(probe))) {
      server.start();
      new Output()
          .line("listening on http://%s:%d".formatted(address.getHostString(), server.port()));
      // While the model loads there is nothing to finish: the JVM's shutdown hooks end the workers.
      onSignal(() -> System.exit(0));
      try (ServedSession session = ServedSession.open(model.model, cluster, serve, output)) {
        session.start(new LoadingMessages(serving));
        onSignal(this::end);
        monitor = session.monitor();
        serving.ready(session.loaded());
        probe.start();
        System.err.println("caravan: ready to serve " + session.loaded().model().id());
        ended.await();
        drain(session);
      }
    }
    return 0;
  }

  private List<Routes> routes(ReadinessProbe probe) {
    Duration timeout = serve.requestTimeout();
    return List.of(
        new HealthRoutes(probe),
        new ModelRoutes(serving),
        new ChatRoutes(serving, timeout),
        new CompletionRoutes(serving, timeout),
        new TextRoutes(serving),
        new GenerationRoutes(serving, timeout),
        new PageRoutes(this::monitor));
  }

  /**
   * What is known about the cluster, also while the server drains.
   *
   * @throws ClusterException MODEL_NOT_READY while it is loaded
   */
  private Monitor monitor() {
    if (monitor == null) {
      serving.loaded(); // Throws, and says how far loading is.
    }
    return requireNonNull(monitor);
  }

  /** The first signal drains; whoever sends another one does not want to wait. */
  private void end() {
    if (ended.getCount() == 0) {
      System.err.println("caravan: cut short");
      System.exit(EXIT_CUT_SHORT);
    }
    ended.countDown();
  }

  /** A server tells who joins, who is lost and what is loaded; commands only say what they do. */
  private void logEvents() {
    if (!output.verbose) {
      System.setProperty("org.slf4j.simpleLogger.log.dev.caravan.coordinator", "info");
    }
  }

  private void drain(ServedSession session) {
    serving.drain();
    System.err.println("caravan: ending; finishes what runs");
    if (!session.drain()) {
      System.err.println("caravan: some generations did not finish in time and are cut off");
    }
  }

  private static void onSignal(Runnable action) {
    for (String name : List.of("TERM", "INT")) {
      if (Signals.register(name, action) == null) {
        throw new ClusterException(
            ErrorCode.INTERNAL, "cannot listen for the signal %s on this system".formatted(name));
      }
    }
  }
}
