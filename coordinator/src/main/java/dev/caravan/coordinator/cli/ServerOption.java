package dev.caravan.coordinator.cli;

import dev.caravan.coordinator.client.ApiClient;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The server that a command talks to. */
public final class ServerOption {
  @Option(
      names = "--url",
      paramLabel = "URL",
      description = "address of a running caravan serve (default: ${DEFAULT-VALUE})")
  private String url = "http://127.0.0.1:8080";

  @Option(
      names = "--api-key-file",
      paramLabel = "FILE",
      description = "a file whose first line is the key to send")
  private @Nullable Path apiKeyFile;

  public String url() {
    return url;
  }

  /**
   * Returns a client; the caller closes it.
   *
   * @throws ClusterException INVALID_REQUEST if the address is none or the key cannot be read
   */
  public ApiClient client() {
    return new ApiClient(url, Optional.ofNullable(apiKeyFile).map(ServerOption::firstLine));
  }

  private static String firstLine(Path file) {
    try {
      return Files.readString(file).lines().findFirst().orElse("").strip();
    } catch (IOException e) {
      throw new ClusterException(
          ErrorCode.INVALID_REQUEST, "cannot read the API key from %s: %s".formatted(file, e), e);
    }
  }
}
