package dev.caravan.coordinator.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A coordinator or a worker in a JVM of its own, started as the launcher script starts it. Ended
 * with all its children when it is closed. Thread-safe.
 */
final class ChildJvm implements AutoCloseable {
  private final Process process;
  private final StringBuffer out = new StringBuffer();
  private final StringBuffer err = new StringBuffer();
  private final List<Thread> readers = new ArrayList<>();

  private ChildJvm(List<String> command) throws IOException {
    process = new ProcessBuilder(command).start();
    process.getOutputStream().close();
    readers.add(Thread.ofPlatform().daemon().start(() -> read(process.inputReader(), out)));
    readers.add(
        Thread.ofPlatform()
            .daemon()
            .start(() ->
                read(
                    new BufferedReader(
                        new InputStreamReader(process.getErrorStream(), StandardCharsets.UTF_8)),
                    err)));
  }

  /** Starts {@code caravan} with arguments. */
  static ChildJvm caravan(Object... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(java()));
    command.add("@" + property("caravan.coordinator.options"));
    for (String name : List.of("caravan.worker.classpath", "caravan.worker.options")) {
      command.add("-D" + name + "=" + property(name));
    }
    command.addAll(List.of("-cp", property("caravan.coordinator.classpath"), Main.class.getName()));
    return new ChildJvm(add(command, arguments));
  }

  /** Starts {@code caravan worker} with arguments. */
  static ChildJvm worker(Object... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(java()));
    command.add("@" + property("caravan.worker.options"));
    command.addAll(
        List.of("-cp", property("caravan.worker.classpath"), "dev.caravan.worker.rpc.WorkerMain"));
    return new ChildJvm(add(command, arguments));
  }

  String out() {
    return out.toString();
  }

  String err() {
    return err.toString();
  }

  /**
   * Lines of standard error, but for the progress that a slow machine gets to see and what a JVM
   * with the Vector API always says.
   */
  List<String> errors() {
    return err()
        .lines()
        .filter(line -> !line.contains(" workers have joined") && !line.contains(": loading: "))
        .filter(line -> !line.startsWith("WARNING: Using incubator modules"))
        .toList();
  }

  ProcessHandle handle() {
    return process.toHandle();
  }

  /** The worker JVMs that this coordinator started, in the order of their ids. */
  List<ProcessHandle> localWorkers() {
    return process
        .children()
        .filter(child -> workerId(child) != null)
        .sorted((a, b) -> Objects.requireNonNull(workerId(a)).compareTo(workerId(b)))
        .toList();
  }

  /** Waits until the standard output is as wanted. */
  void awaitOut(Predicate<String> wanted, Duration deadline) throws InterruptedException {
    await(out, wanted, deadline);
  }

  /** Waits until the standard error is as wanted. */
  void awaitErr(Predicate<String> wanted, Duration deadline) throws InterruptedException {
    await(err, wanted, deadline);
  }

  /** Waits until the process and its output have ended; returns the exit code. */
  int awaitExit(Duration deadline) throws InterruptedException {
    if (!process.waitFor(deadline.toMillis(), TimeUnit.MILLISECONDS)) {
      throw new AssertionError("still running after " + deadline + ": " + err());
    }
    for (Thread reader : readers) {
      reader.join(Duration.ofSeconds(10));
    }
    return process.exitValue();
  }

  /** Waits until a process is gone; one that only waits to be reaped by its parent is gone. */
  static boolean awaitGone(ProcessHandle process, Duration deadline)
      throws InterruptedException, IOException {
    try {
      process.onExit().get(deadline.toMillis(), TimeUnit.MILLISECONDS);
      return true;
    } catch (TimeoutException e) {
      return isZombie(process.pid());
    } catch (ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Sends a signal by its name. */
  static void signal(String name, ProcessHandle process) throws IOException, InterruptedException {
    Process kill = new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start();
    if (!kill.waitFor(10, TimeUnit.SECONDS) || kill.exitValue() != 0) {
      throw new IOException("kill -%s %d failed".formatted(name, process.pid()));
    }
  }

  @Override
  public void close() {
    List<ProcessHandle> children = process.descendants().toList();
    process.destroyForcibly();
    children.forEach(ProcessHandle::destroyForcibly);
  }

  private void await(StringBuffer text, Predicate<String> wanted, Duration deadline)
      throws InterruptedException {
    long end = System.nanoTime() + deadline.toNanos();
    synchronized (text) {
      while (!wanted.test(text.toString())) {
        long leftMillis = (end - System.nanoTime()) / 1_000_000;
        if (leftMillis <= 0 || !process.isAlive()) {
          throw new AssertionError(
              "not seen: out='%s' err='%s' alive=%s".formatted(out, err, process.isAlive()));
        }
        text.wait(Math.min(leftMillis, 500));
      }
    }
  }

  private static void read(BufferedReader reader, StringBuffer text) {
    char[] buffer = new char[4096];
    try (reader) {
      for (int n = reader.read(buffer); n >= 0; n = reader.read(buffer)) {
        synchronized (text) {
          text.append(buffer, 0, n);
          text.notifyAll();
        }
      }
    } catch (IOException e) {
      text.append("[broke off: ").append(e.getMessage()).append(']');
    }
  }

  private static @Nullable String workerId(ProcessHandle process) {
    String[] arguments = process.info().arguments().orElse(new String[0]);
    if (arguments.length > 0 && arguments[arguments.length - 1].startsWith("local-")) {
      return arguments[arguments.length - 1];
    }
    return null;
  }

  private static boolean isZombie(long pid) throws IOException {
    try {
      String stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
      return stat.charAt(stat.lastIndexOf(')') + 2) == 'Z';
    } catch (NoSuchFileException e) {
      return true;
    }
  }

  private static List<String> add(List<String> command, Object... arguments) {
    for (Object argument : arguments) {
      command.add(argument.toString());
    }
    return command;
  }

  private static String java() {
    return Path.of(System.getProperty("java.home"), "bin", "java").toString();
  }

  private static String property(String name) {
    return Objects.requireNonNull(
        System.getProperty(name), name + " is not set: run this test with mvnw verify");
  }
}
