package dev.caravan.k8s.net;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/** A process on a host. Thread-safe. */
public final class HostProcess implements AutoCloseable {
  private static final long POLL_MILLIS = 10;
  private static final long CONTINUE_MILLIS = 1000;
  private static final String END_OF_THREADS = "JNI global refs";
  private static final Duration THREADS_DEADLINE = Duration.ofSeconds(10);

  private final String host;
  private final Process process; // nsenter, whose only child runs in the host's namespaces
  private final Output out;
  private final Output err;

  private HostProcess(String host, Process process) {
    this.host = host;
    this.process = process;
    this.out = new Output(process.inputReader(StandardCharsets.UTF_8));
    this.err = new Output(process.errorReader(StandardCharsets.UTF_8));
  }

  static HostProcess start(String host, List<String> command) throws IOException {
    Process process = new ProcessBuilder(command).start();
    process.getOutputStream().close();
    return new HostProcess(host, process);
  }

  public String out() {
    return out.text();
  }

  public String err() {
    return err.text();
  }

  public boolean isAlive() {
    return process.isAlive();
  }

  /** Waits until the standard output is as wanted. */
  public void awaitOut(Predicate<String> wanted, Duration deadline) throws InterruptedException {
    if (!out.await(wanted, end(deadline))) {
      throw notSeen("output");
    }
  }

  /** Waits until the standard error is as wanted. */
  public void awaitErr(Predicate<String> wanted, Duration deadline) throws InterruptedException {
    if (!err.await(wanted, end(deadline))) {
      throw notSeen("error output");
    }
  }

  /** Waits until the process listens on a port. */
  public void awaitListening(int port, Duration deadline) throws InterruptedException, IOException {
    Pattern listening = Pattern.compile(":%04X [0-9A-F]+:0000 0A ".formatted(port));
    long end = end(deadline);
    while (!isListening(listening)) {
      if (end - System.nanoTime() <= 0 || !process.isAlive()) {
        throw notSeen("port %d listening".formatted(port));
      }
      process.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS);
    }
  }

  /** Sends a signal by its name. */
  public void signal(String name) throws IOException, InterruptedException {
    ProcessHandle child = process.children().findFirst().orElseThrow();
    Shell.run(List.of("kill", "-" + name, Long.toString(child.pid())));
  }

  /**
   * Waits until the process and its output have ended; returns the exit code. The error of a JVM
   * that does not end has its threads.
   */
  public int awaitExit(Duration deadline) throws IOException, InterruptedException {
    long end = end(deadline);
    while (!process.waitFor(CONTINUE_MILLIS, TimeUnit.MILLISECONDS)) {
      if (end - System.nanoTime() <= 0) {
        signal("QUIT");
        out.await(text -> text.contains(END_OF_THREADS), end(THREADS_DEADLINE));
        throw notSeen("end");
      }
      // When its child is stopped nsenter stops itself, and who continues the child knows nothing
      // of it.
      Shell.run(List.of("sh", "-c", "kill -CONT %d || true".formatted(process.pid())));
    }
    out.awaitEnd(end);
    err.awaitEnd(end);
    return process.exitValue();
  }

  @Override
  public void close() {
    process.children().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
  }

  private boolean isListening(Pattern listening) throws IOException {
    ProcessHandle child = process.children().findFirst().orElse(null);
    if (child == null) {
      return false;
    }
    for (String table : List.of("tcp", "tcp6")) {
      Path sockets = Path.of("/proc", Long.toString(child.pid()), "net", table);
      if (Files.exists(sockets) && listening.matcher(Files.readString(sockets)).find()) {
        return true;
      }
    }
    return false;
  }

  private AssertionError notSeen(String what) {
    return new AssertionError(
        "%s: %s not seen: out='%s' err='%s' alive=%s"
            .formatted(host, what, out(), err(), isAlive()));
  }

  private static long end(Duration deadline) {
    return System.nanoTime() + deadline.toNanos();
  }
}
