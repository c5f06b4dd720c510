package dev.caravan.model.net;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.net.InetSocketAddress;
import java.security.Security;

/** Parses HOST:PORT; says how long names are remembered, and why an address cannot be taken. */
public final class Addresses {
  private Addresses() {}

  /**
   * Has this JVM look names up again after a second, known or not: hosts come late, and come back
   * under other addresses. To be called before the first name is looked up.
   */
  public static void forgetNamesSoon() {
    Security.setProperty("networkaddress.cache.ttl", "1");
    Security.setProperty("networkaddress.cache.negative.ttl", "1");
  }

  /**
   * @param option that holds the address, for the message
   * @param address HOST:PORT, an IPv6 address in brackets
   * @throws ClusterException INVALID_REQUEST if it is not an address
   */
  public static InetSocketAddress parse(String option, String address) {
    int colon = address.lastIndexOf(':');
    int port = colon < 1 ? -1 : port(address.substring(colon + 1));
    if (port < 0) {
      throw new ClusterException(
          ErrorCode.INVALID_REQUEST,
          "%s '%s' is not HOST:PORT with a port in 0..65535".formatted(option, address));
    }
    String host = address.substring(0, colon);
    if (host.startsWith("[") && host.endsWith("]")) {
      host = host.substring(1, host.length() - 1);
    }
    return new InetSocketAddress(host, port);
  }

  /**
   * Returns what to throw when nobody can listen on an address.
   *
   * @param option that holds the address, for the message
   */
  public static ClusterException cannotListen(
      String option, InetSocketAddress address, Throwable error) {
    Throwable root = error;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return new ClusterException(
        ErrorCode.INVALID_REQUEST,
        "cannot listen on %s:%d: %s; choose another %s address"
            .formatted(
                address.getHostString(),
                address.getPort(),
                address.isUnresolved() ? "nobody knows a host of this name" : root.getMessage(),
                option),
        error);
  }

  private static int port(String text) {
    if (!text.matches("\\d{1,5}")) {
      return -1;
    }
    int port = Integer.parseInt(text);
    return port > 65535 ? -1 : port;
  }
}
