package dev.caravan.coordinator.cli;

import dev.caravan.coordinator.api.ServedModel;
import dev.caravan.coordinator.api.Serving;
import dev.caravan.coordinator.generate.ClusterEngine;
import dev.caravan.coordinator.generate.EngineSettings;
import dev.caravan.coordinator.metrics.AllObservers;
import dev.caravan.coordinator.metrics.EngineCounts;
import dev.caravan.coordinator.metrics.Monitor;
import dev.caravan.coordinator.metrics.RequestLog;
import dev.caravan.coordinator.metrics.ServedCluster;
import dev.caravan.coordinator.rpc.Cluster;
import dev.caravan.coordinator.rpc.LoadListener;
import dev.caravan.coordinator.structure.StructuredOutput;
import dev.caravan.coordinator.text.Tokenizer;
import dev.caravan.coordinator.text.chat.ChatTemplate;
import dev.caravan.model.vocabulary.Vocabulary;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** A model on a cluster with an engine that serves many callers. */
final class ServedSession implements AutoCloseable {
  private static final String GGUF = ".gguf";

  private final Session session;
  private final ServedModel model;
  private final ClusterEngine engine;
  private final EngineCounts counts;
  private final Duration drainTimeout;

  private ServedSession(
      Session session,
      ServedModel model,
      ClusterEngine engine,
      EngineCounts counts,
      Duration drainTimeout) {
    this.session = session;
    this.model = model;
    this.engine = engine;
    this.counts = counts;
    this.drainTimeout = drainTimeout;
  }

  /**
   * Opens a model; starts nothing yet.
   *
   * @throws dev.caravan.model.error.ClusterException what is wrong with the model or the options
   */
  static ServedSession open(
      Path path, ClusterOptions cluster, ServeOptions serve, OutputOptions output) {
    Session session = Session.open(path, cluster, output, serve.kvContexts);
    try {
      EngineSettings settings =
          new EngineSettings(
              session.runtime(),
              session.checkpoint().config().vocabSize(),
              serve.maxRunning,
              serve.maxWaiting);
      EngineCounts counts =
          new EngineCounts(
              session.cluster().plan().shards().size(), settings.contextLength(), System::nanoTime);
      ClusterEngine engine =
          new ClusterEngine(
              session.cluster().executor(),
              session.cluster(),
              settings,
              new AllObservers(List.of(counts, new RequestLog())));
      return new ServedSession(
          session, model(path, session, settings, serve), engine, counts, serve.drainTimeout());
    } catch (RuntimeException e) {
      session.close();
      throw e;
    }
  }

  /**
   * Starts the cluster, loads the model onto it, and starts the engine.
   *
   * @param listener hears how far that is
   * @throws dev.caravan.model.error.ClusterException whatever kept it from coming up
   */
  void start(LoadListener listener) {
    session.startPatiently(listener);
    engine.start(session.cluster().epoch());
  }

  Serving.Loaded loaded() {
    return new Serving.Loaded(model, engine);
  }

  /** What is known about the cluster, once it is loaded. */
  Monitor monitor() {
    Cluster cluster = session.cluster();
    ServedCluster served =
        new ServedCluster(
            model.id(),
            model.chatTemplate().isPresent(),
            session.checkpoint().config(),
            model.contextLength(),
            cluster.plan(),
            cluster::memory,
            cluster::isUp);
    return new Monitor(served, engine, counts);
  }

  /** Finishes what runs; returns false if some of it did not finish in time. */
  boolean drain() {
    return engine.drain(drainTimeout);
  }

  @Override
  public void close() {
    engine.close();
    session.close();
  }

  private static ServedModel model(
      Path path, Session session, EngineSettings settings, ServeOptions serve) {
    Tokenizer tokenizer = session.tokenizer();
    Vocabulary vocabulary = tokenizer.vocabulary();
    Optional<String> template =
        serve.chatTemplate == null
            ? vocabulary.chatTemplate()
            : Optional.of(ChatTemplateSource.ofFile(serve.chatTemplate).text());
    return new ServedModel(
        id(path),
        Instant.now().getEpochSecond(),
        tokenizer,
        template.map(ChatTemplate::parse),
        ChatTemplateSource.tokens(vocabulary),
        new StructuredOutput(tokenizer),
        settings.contextLength());
  }

  /** Returns the name of the file without its type, or of the directory. */
  private static String id(Path path) {
    String name = path.toAbsolutePath().normalize().getFileName().toString();
    return name.endsWith(GGUF) ? name.substring(0, name.length() - GGUF.length()) : name;
  }
}
