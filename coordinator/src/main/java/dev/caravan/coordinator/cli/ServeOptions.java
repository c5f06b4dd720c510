package dev.caravan.coordinator.cli;

import dev.caravan.coordinator.api.ApiKeys;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Who may call a server, and its bounds. */
final class ServeOptions {
  /** Longer ones are asked for: the KV cache of several full contexts can exceed the memory. */
  static final int DEFAULT_CONTEXT = 8192;

  private static final int DAY_SECONDS = 86_400;

  @Option(
      names = "--api-key-file",
      paramLabel = "FILE",
      description = "keys that callers need, one a line (default: everybody may call)")
  private @Nullable Path apiKeyFile;

  @Option(
      names = "--chat-template",
      paramLabel = "FILE",
      description = "a Jinja template for chats (default: the model's own)")
  @Nullable Path chatTemplate;

  @Option(
      names = "--max-running",
      paramLabel = "N",
      description = "most generations at once (default: ${DEFAULT-VALUE})")
  int maxRunning = 16;

  @Option(
      names = "--max-waiting",
      paramLabel = "N",
      description = "most generations that wait; more get status 429 (default: ${DEFAULT-VALUE})")
  int maxWaiting = 32;

  @Option(
      names = "--kv-contexts",
      paramLabel = "N",
      description =
          "full contexts that the KV cache holds, for all generations together"
              + " (default: ${DEFAULT-VALUE})")
  int kvContexts = 4;

  @Option(
      names = "--request-timeout",
      paramLabel = "SECONDS",
      description = "most time of one generation, waiting included (default: ${DEFAULT-VALUE})")
  private int requestTimeoutSeconds = 3600;

  @Option(
      names = "--drain-timeout",
      paramLabel = "SECONDS",
      description = "on SIGTERM, how long to finish what runs (default: ${DEFAULT-VALUE})")
  private int drainTimeoutSeconds = 60;

  /**
   * Checks the bounds.
   *
   * @throws ClusterException INVALID_REQUEST with the option, its value and what is allowed
   */
  void check() {
    check("--max-running", maxRunning, 1, 4096);
    check("--max-waiting", maxWaiting, 0, 65_536);
    check("--kv-contexts", kvContexts, 1, 4096);
    check("--request-timeout", requestTimeoutSeconds, 1, DAY_SECONDS);
    check("--drain-timeout", drainTimeoutSeconds, 0, DAY_SECONDS);
  }

  /**
   * Reads the keys.
   *
   * @throws ClusterException INVALID_REQUEST if there is a file and no key in it
   */
  ApiKeys keys() {
    if (apiKeyFile == null) {
      return new ApiKeys(List.of());
    }
    List<String> keys =
        IdsFiles.readText(apiKeyFile)
            .lines()
            .map(String::strip)
            .filter(line -> !line.isEmpty())
            .toList();
    if (keys.isEmpty()) {
      throw new ClusterException(
          ErrorCode.INVALID_REQUEST,
          "--api-key-file %s has no key; write one a line".formatted(apiKeyFile));
    }
    return new ApiKeys(keys);
  }

  Duration requestTimeout() {
    return Duration.ofSeconds(requestTimeoutSeconds);
  }

  Duration drainTimeout() {
    return Duration.ofSeconds(drainTimeoutSeconds);
  }

  private static void check(String option, int value, int min, int max) {
    if (value < min || value > max) {
      throw new ClusterException(
          ErrorCode.INVALID_REQUEST, "%s %d is not in %d..%d".formatted(option, value, min, max));
    }
  }
}
