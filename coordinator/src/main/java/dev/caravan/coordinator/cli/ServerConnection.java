package dev.caravan.coordinator.cli;

import dev.caravan.coordinator.client.ApiClient;
import java.util.Optional;

/**
 * A client of a server, and the server where it is the command's own: both end when it is closed.
 */
public final class ServerConnection implements AutoCloseable {
  private final String url;
  private final ApiClient client;
  private final Optional<OwnServer> own;

  private ServerConnection(String url, ApiClient client, Optional<OwnServer> own) {
    this.url = url;
    this.client = client;
    this.own = own;
  }

  static ServerConnection to(String url, Optional<String> key) {
    return new ServerConnection(url, new ApiClient(url, key), Optional.empty());
  }

  /**
   * @param server is started, and belongs to the connection from now on
   */
  static ServerConnection to(OwnServer server) {
    String url = server.url();
    return new ServerConnection(
        url, new ApiClient(url, Optional.of(server.key())), Optional.of(server));
  }

  public String url() {
    return url;
  }

  public ApiClient client() {
    return client;
  }

  @Override
  public void close() {
    client.close();
    own.ifPresent(OwnServer::close);
  }
}
