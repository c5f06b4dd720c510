package dev.caravan.k8s.image;

import dev.caravan.k8s.net.Host;
import dev.caravan.k8s.net.HostProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The image on a host, as Kubernetes runs it: read-only but for /tmp, a user without any
 * capability, folders mounted.
 */
public final class Container {
  private static final String USER = "10001";
  private static final List<String> ENVIRONMENT =
      List.of("LANG=C.UTF-8", "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");

  /**
   * $1: root file system, $2: names of hosts, then folders: where to mount them, where they lie.
   */
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
      mount --bind "$2" "$1/etc/hosts"
      mount -o remount,bind,ro "$1"
      root="$1"
      shift 2
      while [ $# -gt 0 ]; do
        mkdir -p "$root$1"
        mount --bind "$2" "$root$1"
        mount -o remount,bind,ro "$root$1"
        shift 2
      done
      """;

  private final Host host;
  private final RootFs rootFs;
  private final List<String> environment;

  private Container(Host host, RootFs rootFs, List<String> environment) {
    this.host = host;
    this.rootFs = rootFs;
    this.environment = environment;
  }

  /**
   * Mounts the image on a host, once per host.
   *
   * @param folders that everybody may read, by where the container sees them: /models, or /tmp/...
   */
  public static Container mount(Host host, RootFs rootFs, Map<String, Path> folders)
      throws IOException, InterruptedException {
    List<String> arguments = new ArrayList<>(List.of(rootFs.directory().toString()));
    arguments.add(host.namesFile());
    folders.forEach((where, folder) -> arguments.addAll(List.of(where, folder.toString())));
    host.run(MOUNTS, arguments.toArray(String[]::new));
    return new Container(host, rootFs, ENVIRONMENT);
  }

  /** Returns the same container with options for its Java processes, from their environment. */
  public Container withJavaOptions(String options) {
    List<String> more = new ArrayList<>(environment);
    more.add("JDK_JAVA_OPTIONS=" + options);
    return new Container(host, rootFs, List.copyOf(more));
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
                "-i"));
    command.addAll(environment);
    command.addAll(List.of("chroot", "--userspec=" + USER + ":" + USER, "--groups="));
    command.add(rootFs.directory().toString());
    command.addAll(program);
    return host.start(command);
  }
}
