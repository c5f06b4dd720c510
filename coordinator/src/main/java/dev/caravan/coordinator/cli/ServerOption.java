package dev.caravan.coordinator.cli;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The server that a command talks to: one that runs, or one of its own. */
public final class ServerOption {
  private static final String DEFAULT_URL = "http://127.0.0.1:8080";

  @Option(
      names = "--url",
      paramLabel = "URL",
      description = "address of a running caravan serve (default: " + DEFAULT_URL + ")")
  private @Nullable String url;

  @Option(
      names = "--api-key-file",
      paramLabel = "FILE",
      description = "a file whose first line is the key to send")
  private @Nullable Path apiKeyFile;

  @Option(
      names = "--model",
      paramLabel = "PATH",
      description =
          "serve this model for as long as the command runs, with the options of the cluster,"
              + " instead of talking to a running server")
  private @Nullable Path model;

  @Mixin private ClusterOptions cluster = new ClusterOptions();

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command = CommandSpec.create();

  /** Returns the model of the command's own server, if it is to have one. */
  public Optional<Path> model() {
    return Optional.ofNullable(model);
  }

  /** How the cluster of the command's own server is put together. */
  public ClusterOptions cluster() {
    return cluster;
  }

  /**
   * Returns a connection to the server that runs, or starts one and waits until it is ready; the
   * caller closes it.
   *
   * @throws ClusterException INVALID_REQUEST if the address is none, the key cannot be read or the
   *     options contradict each other; whatever kept an own server from coming up
   */
  public ServerConnection connect(OutputOptions output) {
    return model == null ? remote() : own(model, new ServeOptions(), output, false);
  }

  /**
   * As {@link #connect}, for chats.
   *
   * @param template for an own server, instead of its model's; null for that
   * @throws ClusterException INVALID_REQUEST, before the model is loaded, if there is no template
   */
  ServerConnection connectForChat(OutputOptions output, @Nullable Path template) {
    if (model == null) {
      if (template != null) {
        throw invalid("--chat-template is for a server of this command's own; add --model PATH");
      }
      return remote();
    }
    ServeOptions serve = new ServeOptions();
    serve.kvContexts = 1;
    serve.chatTemplate = template;
    return own(model, serve, output, true);
  }

  private ServerConnection remote() {
    Set<String> ofCluster = CommandSpec.forAnnotatedObject(cluster).optionsMap().keySet();
    command.commandLine().getParseResult().matchedOptions().stream()
        .map(OptionSpec::longestName)
        .filter(ofCluster::contains)
        .findFirst()
        .ifPresent(name -> {
          throw invalid(
              "%s is for a server of this command's own; add --model PATH".formatted(name));
        });
    return ServerConnection.to(
        url == null ? DEFAULT_URL : url,
        Optional.ofNullable(apiKeyFile).map(ServerOption::firstLine));
  }

  private ServerConnection own(Path path, ServeOptions serve, OutputOptions output, boolean chat) {
    if (url != null || apiKeyFile != null) {
      throw invalid(
          "%s means a server that runs, --model one of this command's own; give one of them"
              .formatted(url == null ? "--api-key-file" : "--url"));
    }
    cluster.defaultContext(ServeOptions.DEFAULT_CONTEXT);
    OwnServer server = OwnServer.open(path, cluster, serve, output);
    try {
      if (chat && server.model().chatTemplate().isEmpty()) {
        throw invalid("%s has no chat template; give one with --chat-template".formatted(path));
      }
      server.start();
      return ServerConnection.to(server);
    } catch (RuntimeException e) {
      server.close();
      throw e;
    }
  }

  private static String firstLine(Path file) {
    try {
      return Files.readString(file).lines().findFirst().orElse("").strip();
    } catch (IOException e) {
      throw new ClusterException(
          ErrorCode.INVALID_REQUEST, "cannot read the API key from %s: %s".formatted(file, e), e);
    }
  }

  private static ClusterException invalid(String message) {
    return new ClusterException(ErrorCode.INVALID_REQUEST, message);
  }
}
