package dev.caravan.k8s.net;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Namespaces of one host: network, mounts, processes, name, shared memory. They exist as long as
 * the process that was started in them first, and that reads a pipe from this JVM: it ends at the
 * latest when this JVM does, and the kernel then ends all other processes of its namespace.
 */
final class Namespaces implements AutoCloseable {
  private final Process holder;
  private final long pid;

  private Namespaces(Process holder, long pid) {
    this.holder = holder;
    this.pid = pid;
  }

  static Namespaces open(String name) throws IOException {
    Process process =
        new ProcessBuilder(
                "unshare",
                "--net",
                "--mount",
                "--pid",
                "--uts",
                "--ipc",
                "--fork",
                "--kill-child",
                "--mount-proc",
                "sh",
                "-c",
                "hostname \"$0\" && echo up && exec cat >/dev/null",
                name)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    BufferedReader reader = process.inputReader(StandardCharsets.UTF_8);
    String line = reader.readLine();
    if (!"up".equals(line)) {
      process.destroyForcibly();
      throw new IOException("no namespaces for %s: %s".formatted(name, line));
    }
    return new Namespaces(process, process.children().findFirst().orElseThrow().pid());
  }

  /** Process id of the first process in them, as this JVM sees it. */
  long pid() {
    return pid;
  }

  /** A command in all of them. */
  List<String> command(List<String> command) {
    return enter(List.of("--net", "--mount", "--pid", "--uts", "--ipc"), command);
  }

  /** Runs a script in the network only: it sees the machine's process ids. */
  String network(String script) throws IOException, InterruptedException {
    return Shell.run(enter(List.of("--net"), List.of("sh", "-c", script)));
  }

  /** Runs a script in all of them. */
  String run(String script, String... arguments) throws IOException, InterruptedException {
    List<String> shell = new ArrayList<>(List.of("sh", "-ec", script, "sh"));
    shell.addAll(List.of(arguments));
    return Shell.run(command(shell));
  }

  private List<String> enter(List<String> spaces, List<String> command) {
    List<String> whole = new ArrayList<>(List.of("nsenter", "--target", Long.toString(pid)));
    whole.addAll(spaces);
    whole.add("--");
    whole.addAll(command);
    return whole;
  }

  @Override
  public void close() {
    // unshare takes its child with it.
    holder.destroyForcibly();
  }
}
