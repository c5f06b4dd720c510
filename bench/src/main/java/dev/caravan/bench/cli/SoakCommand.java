package dev.caravan.bench.cli;

import dev.caravan.bench.machine.Machine;
import dev.caravan.bench.report.Report;
import dev.caravan.bench.serve.LengthDistribution;
import dev.caravan.bench.serve.SoakRun;
import dev.caravan.bench.serve.SoakSettings;
import dev.caravan.coordinator.cli.Output;
import dev.caravan.coordinator.cli.OutputOptions;
import dev.caravan.coordinator.cli.ServerConnection;
import dev.caravan.coordinator.cli.ServerOption;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Finds out whether a server leaks. */
@Command(
    name = "soak",
    mixinStandardHelpOptions = true,
    description = {
      "Puts a mixed load on a server for a long time: streams, some of them hung up on, whole",
      "answers, malformed requests. Watches the server's metrics and ends with PASS or FAIL for its",
      "KV blocks, heap, direct memory, resident memory and threads. Exit code 3 if one failed.",
      "With --model the server's JVM is this one, and the figures are of both."
    })
final class SoakCommand implements Callable<Integer> {
  private static final int EXIT_CLUSTER = 3;
  private static final int PROGRESS_SECONDS = 10;
  private static final Duration MODEL_TIMEOUT = Duration.ofSeconds(30);

  @Mixin private ServerOption server = new ServerOption();
  @Mixin private OutputOptions output = new OutputOptions();

  @Option(
      names = "--duration",
      paramLabel = "S",
      description = "seconds after which no request is started (default: ${DEFAULT-VALUE})")
  private int durationSeconds = 600;

  @Option(
      names = "--concurrency",
      paramLabel = "N",
      description = "users, each with one request at a time (default: ${DEFAULT-VALUE})")
  private int concurrency = 12;

  @Option(
      names = "--prompt-tokens",
      paramLabel = "D",
      description = "N, uniform:MIN:MAX or lognormal:MEDIAN:SIGMA (default: ${DEFAULT-VALUE})")
  private String promptTokens = "uniform:1:100";

  @Option(
      names = "--output-tokens",
      paramLabel = "D",
      description = "as --prompt-tokens (default: ${DEFAULT-VALUE})")
  private String outputTokens = "uniform:1:64";

  @Option(names = "--seed", description = "of all random numbers (default: ${DEFAULT-VALUE})")
  private long seed = 1;

  @Override
  public Integer call() throws InterruptedException {
    SoakSettings settings =
        new SoakSettings(
            Duration.ofSeconds(durationSeconds),
            concurrency,
            LengthDistribution.parse("--prompt-tokens", promptTokens),
            LengthDistribution.parse("--output-tokens", outputTokens),
            seed);
    Report report;
    SoakRun.Outcome outcome;
    try (ServerConnection connection = server.connect(output)) {
      String model = connection.client().model(MODEL_TIMEOUT);
      report = new Report("soak", Machine.here(), flags(connection, model));
      SoakRun run = new SoakRun(connection.client(), settings, model);
      try (ProgressLines _ = ProgressLines.every(PROGRESS_SECONDS, run::progress)) {
        outcome = run.run();
      }
    }
    report.add(outcome.verdict().table());
    outcome
        .counts()
        .sortedFailures()
        .forEach((what, count) -> report.note("%d failed, %s".formatted(count, what)));
    report.note(outcome.verdict().passed() ? "PASS" : "FAIL");
    report.print(new Output(), output.isJson());
    return outcome.verdict().passed() ? 0 : EXIT_CLUSTER;
  }

  private Map<String, Object> flags(ServerConnection connection, String model) {
    Map<String, Object> flags = new LinkedHashMap<>(ServeLoadCommand.target(server, connection));
    flags.put("model", model);
    flags.put("duration", durationSeconds);
    flags.put("concurrency", concurrency);
    flags.put("prompt-tokens", promptTokens);
    flags.put("output-tokens", outputTokens);
    flags.put("seed", seed);
    return flags;
  }
}
