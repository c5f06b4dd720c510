package dev.caravan.k8s.image;

import dev.caravan.k8s.net.Host;
import dev.caravan.k8s.net.HostProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The image on a host, as Kubernetes runs it: read-only but for /tmp, a user without any
 * capability, models mounted at /models.
 */
public final class Container {
  private static final String USER = "10001";

  /** $1: root file system, $2: models, $3: names of hosts. */
  private static final String MOUNTS =
      """
      mount --bind "$1" "$1"
      mount -t tmpfs -o mode=1777 tmpfs "$1/tmp"
      mount -t proc proc "$1/proc"
      mount -t tmpfs tmpfs "$1/dev"
      for device in null zero random urandom; do
        : >"$1/dev/$device"
        mount --bind "/dev/$device" "$1/dev/$device"
      done
      mount --rbind -o ro "$2" "$1/models"
      mount --bind "$3" "$1/etc/hosts"
      mount -o remount,bind,ro "$1"
      """;

  private final Host host;
  private final RootFs rootFs;

  private Container(Host host, RootFs rootFs) {
    this.host = host;
    this.rootFs = rootFs;
  }

  /**
   * Mounts the image on a host, once per host.
   *
   * @param models that everybody may read
   */
  public static Container mount(Host host, RootFs rootFs, Path models)
      throws IOException, InterruptedException {
    host.run(MOUNTS, rootFs.directory().toString(), models.toString(), host.namesFile());
    return new Container(host, rootFs);
  }

  public Host host() {
    return host;
  }

  /** Starts the image's entry point with arguments. */
  public HostProcess caravan(Object... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of("/usr/local/bin/caravan"));
    for (Object argument : arguments) {
      command.add(argument.toString());
    }
    return start(command);
  }

  /** Starts a program of the image. */
  public HostProcess start(List<String> program) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                "setpriv",
                "--no-new-privs",
                "--inh-caps=-all",
                "--bounding-set=-all,+sys_chroot,+setuid,+setgid",
                "env",
                "-i",
                "LANG=C.UTF-8",
                "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "chroot",
                "--userspec=" + USER + ":" + USER,
                "--groups=",
                rootFs.directory().toString()));
    command.addAll(program);
    return host.start(command);
  }
}
