package dev.caravan.bench.cli;

import dev.caravan.bench.machine.Machine;
import dev.caravan.bench.report.Report;
import dev.caravan.bench.serve.Goal;
import dev.caravan.bench.serve.HtmlReport;
import dev.caravan.bench.serve.LengthDistribution;
import dev.caravan.bench.serve.LoadFigures;
import dev.caravan.bench.serve.LoadRun;
import dev.caravan.bench.serve.LoadSettings;
import dev.caravan.coordinator.cli.Output;
import dev.caravan.coordinator.cli.OutputOptions;
import dev.caravan.coordinator.cli.ServerConnection;
import dev.caravan.coordinator.cli.ServerOption;
import dev.caravan.coordinator.client.ApiClient;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures what the users of a server see under load. */
@Command(
    name = "serve",
    mixinStandardHelpOptions = true,
    description = {
      "Sends completions to a running server, or to one that it starts for itself, and measures what",
      "its users see: the wait for the first token (ttft), the mean time per further token (tpot),",
      "the gaps between pieces of text (itl), the whole answer (e2e). Prompts are random token ids."
    })
final class ServeLoadCommand implements Callable<Integer> {
  private static final int EXIT_CLUSTER = 3;
  private static final int PROGRESS_SECONDS = 2;
  private static final Duration MODEL_TIMEOUT = Duration.ofSeconds(30);

  @Mixin private ServerOption server = new ServerOption();
  @Mixin private OutputOptions output = new OutputOptions();

  @Option(
      names = "--requests",
      paramLabel = "N",
      description = "how many in all (default: ${DEFAULT-VALUE})")
  private int requests = 100;

  @Option(
      names = "--rate",
      paramLabel = "R",
      description = "open loop: so many a second on average, at random, however slow the server is")
  private @Nullable Double rate;

  @Option(
      names = "--concurrency",
      paramLabel = "N",
      description = "closed loop: so many users (default: ${DEFAULT-VALUE}; not with --rate)")
  private int concurrency = 8;

  @Option(
      names = "--prompt-tokens",
      paramLabel = "D",
      description = "N, uniform:MIN:MAX or lognormal:MEDIAN:SIGMA (default: ${DEFAULT-VALUE})")
  private String promptTokens = "128";

  @Option(
      names = "--output-tokens",
      paramLabel = "D",
      description = "as --prompt-tokens (default: ${DEFAULT-VALUE})")
  private String outputTokens = "64";

  @Option(
      names = "--shared-prefix",
      paramLabel = "S",
      description = "share of each prompt that is the same in all, 0 to 1 (default: 0)")
  private double sharedPrefix;

  @Option(names = "--seed", description = "same seed, same requests (default: ${DEFAULT-VALUE})")
  private long seed = 1;

  @Option(
      names = "--duration",
      paramLabel = "S",
      description = "seconds after which no request is started (default: ${DEFAULT-VALUE})")
  private int durationSeconds = 600;

  @Option(
      names = "--timeout",
      paramLabel = "S",
      description =
          "a request that is silent for so many seconds failed (default: ${DEFAULT-VALUE})")
  private int timeoutSeconds = 300;

  @Option(
      names = "--ttft-target",
      paramLabel = "MS",
      description = "goodput counts requests whose first token came in time (default: any)")
  private double ttftTarget = Double.POSITIVE_INFINITY;

  @Option(
      names = "--tpot-target",
      paramLabel = "MS",
      description = "goodput counts requests with at most that time per token (default: any)")
  private double tpotTarget = Double.POSITIVE_INFINITY;

  @Option(names = "--html", paramLabel = "FILE", description = "write a page with plots as well")
  private @Nullable Path html;

  @Override
  public Integer call() throws InterruptedException {
    LoadSettings settings = settings();
    Report report;
    LoadFigures figures;
    try (ServerConnection connection = server.connect(output)) {
      ApiClient client = connection.client();
      String model = client.model(MODEL_TIMEOUT);
      report = new Report("serve", Machine.here(), flags(connection, model));
      LoadRun run = new LoadRun(client, settings, model);
      try (ProgressLines _ = ProgressLines.every(PROGRESS_SECONDS, run::progress)) {
        figures = run.run();
      }
    }
    report.add(figures.latencies());
    report.add(figures.rates(new Goal(ttftTarget, tpotTarget)));
    figures
        .failures()
        .forEach((what, count) -> report.note("%d failed, %s".formatted(count, what)));
    report.print(new Output(), output.isJson());
    if (html != null) {
      write(html, new HtmlReport(report, figures).render());
    }
    return figures.hasSuccess() ? 0 : EXIT_CLUSTER;
  }

  private LoadSettings settings() {
    return new LoadSettings(
        requests,
        rate == null ? OptionalDouble.empty() : OptionalDouble.of(rate),
        concurrency,
        LengthDistribution.parse("--prompt-tokens", promptTokens),
        LengthDistribution.parse("--output-tokens", outputTokens),
        sharedPrefix,
        seed,
        Duration.ofSeconds(durationSeconds),
        Duration.ofSeconds(timeoutSeconds));
  }

  private Map<String, Object> flags(ServerConnection connection, String model) {
    Map<String, Object> flags = new LinkedHashMap<>(target(server, connection));
    flags.put("model", model);
    flags.put("requests", requests);
    if (rate == null) {
      flags.put("concurrency", concurrency);
    } else {
      flags.put("rate", rate);
    }
    flags.put("prompt-tokens", promptTokens);
    flags.put("output-tokens", outputTokens);
    flags.put("shared-prefix", sharedPrefix);
    flags.put("seed", seed);
    return flags;
  }

  /** Says which server it is: its address, or how many workers one of the command's own has. */
  static Map<String, Object> target(ServerOption server, ServerConnection connection) {
    return server.model().isPresent()
        ? Map.of("workers", server.cluster().grid())
        : Map.of("url", connection.url());
  }

  private static void write(Path file, String page) {
    try {
      Files.writeString(file, page);
    } catch (IOException e) {
      throw new ClusterException(
          ErrorCode.INVALID_REQUEST, "--html: cannot write %s: %s".formatted(file, e), e);
    }
  }
}
