package dev.caravan.k8s.net;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/** Whether this process may make hosts. */
final class Privilege {
  private static final String TRIAL =
      "ip link add name trial0 type veth peer name trial1 && tc qdisc add dev trial0 root pfifo"
          + " && mount -t tmpfs tmpfs /tmp && setpriv --version && chroot --version";

  private Privilege() {}

  /** Skips the calling test loudly unless it can make namespaces, cables and mounts. */
  static void require(Class<?> test) {
    try {
      Shell.run(
          List.of(
              "unshare", "--net", "--mount", "--pid", "--uts", "--ipc", "--fork", "sh", "-c",
              TRIAL));
    } catch (IOException e) {
      String message =
          "SKIPPED: %s needs Linux, root and network namespaces (iproute2, util-linux): %s"
              .formatted(test.getSimpleName(), e.getMessage());
      System.out.println(message);
      Assumptions.abort(message);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
