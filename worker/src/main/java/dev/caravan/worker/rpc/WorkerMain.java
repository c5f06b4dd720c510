package dev.caravan.worker.rpc;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.net.Addresses;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** A worker: joins a coordinator and computes what it is given until the coordinator ends it. */
@Command(
    name = "caravan worker",
    mixinStandardHelpOptions = true,
    description = "Joins a coordinator and computes a shard of its model.")
public final class WorkerMain implements Callable<Integer> {
  private static final int EXIT_BAD_INPUT = 2;
  private static final int EXIT_CLUSTER = 3;

  /** As good as: the sum of a moment in nanoseconds and this is still one. */
  private static final Duration FOR_EVER = Duration.ofDays(36_500);

  @Option(
      names = "--coordinator",
      required = true,
      paramLabel = "HOST:PORT",
      description = "where the coordinator listens")
  private String coordinator = "";

  @Option(
      names = "--listen",
      paramLabel = "HOST:PORT",
      description = "where this worker listens (default: a free loopback port)")
  private String listen = "127.0.0.1:0";

  @Option(
      names = "--id",
      paramLabel = "ID",
      description = "name of this worker in the cluster (default: host and process id)")
  private @Nullable String id;

  @Option(
      names = "--model",
      paramLabel = "PATH",
      description = "where this machine keeps the model (default: the coordinator's path)")
  private @Nullable Path model;

  @Option(
      names = "--join-seconds",
      paramLabel = "N",
      description = "how long to look for the coordinator (default: 600; with --stay: for ever)")
  private @Nullable Integer joinSeconds;

  @Option(
      names = "--stay",
      description =
          "look for the coordinator again when it has ended or was lost, with the shard kept")
  private boolean stay;

  @Option(
      names = "--verbose",
      description = "log what happens (as with --stay), and stack traces of errors")
  private boolean verbose;

  public static void main(String[] arguments) {
    Addresses.forgetNamesSoon();
    CommandLine command = new CommandLine(new WorkerMain());
    command.setParameterExceptionHandler((error, ignored) -> {
      System.err.println("caravan worker: " + error.getMessage() + " (see --help)");
      return EXIT_BAD_INPUT;
    });
    command.setExecutionExceptionHandler((error, line, ignored) -> {
      boolean verbose = line.getParseResult().hasMatchedOption("--verbose");
      System.err.println("caravan worker: " + error.getMessage());
      if (verbose || !(error instanceof ClusterException)) {
        error.printStackTrace();
      }
      return error instanceof ClusterException e && e.code().isBadInput()
          ? EXIT_BAD_INPUT
          : EXIT_CLUSTER;
    });
    System.exit(command.execute(arguments));
  }

  @Override
  public Integer call() throws InterruptedException {
    if (verbose || stay) {
      System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "info");
    }
    new Worker(
            Addresses.parse("--coordinator", coordinator),
            Addresses.parse("--listen", listen),
            id,
            model,
            joinDeadline(),
            stay)
        .run();
    return 0;
  }

  private Duration joinDeadline() {
    if (joinSeconds != null) {
      return Duration.ofSeconds(joinSeconds);
    }
    return stay ? FOR_EVER : Duration.ofMinutes(10);
  }
}
