package dev.caravan.coordinator.cluster;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Worker JVMs on this machine. Starts them and always ends them: on close, when this JVM ends, and
 * (by the workers themselves) when their connection to this JVM breaks. Thread-safe.
 */
public final class LocalWorkers implements AutoCloseable {
  private static final int TAIL_LINES = 20;
  private static final long EXIT_MILLIS = 1500;

  /** Printed at every start of a JVM that computes; says nothing about how it ended. */
  private static final String START_WARNING = "WARNING: Using incubator modules";

  /** A worker's streams break before its exit code and its last words are here. */
  private static final long LAST_WORDS_MILLIS = 500;

  private final List<String> command;
  private final boolean echo;
  private final List<LocalWorker> workers = new ArrayList<>();
  private int port; // guarded by this
  private final Thread shutdownHook = new Thread(this::destroyAll, "end-local-workers");

  /**
   * @param command starts a worker JVM; the coordinator's port and the worker's id are added
   * @param echo true: what workers print goes to standard error as it comes
   */
  public LocalWorkers(List<String> command, boolean echo) {
    this.command = List.copyOf(command);
    this.echo = echo;
  }

  /** Returns the id of a local worker. */
  public static String id(int index) {
    return "local-" + index;
  }

  /**
   * Starts the workers.
   *
   * @param coordinatorPort on the loopback address
   * @throws ClusterException INTERNAL if a process cannot be started
   */
  public synchronized void start(int count, int coordinatorPort) {
    Runtime.getRuntime().addShutdownHook(shutdownHook);
    port = coordinatorPort;
    for (int i = 0; i < count; i++) {
      workers.add(launch(id(i)));
    }
  }

  /**
   * Ends the workers that are not among those kept, and starts them anew; does nothing without
   * local workers.
   *
   * @throws ClusterException INTERNAL if a process cannot be started
   */
  public synchronized void replaceAllBut(Set<String> kept) {
    for (int i = 0; i < workers.size(); i++) {
      LocalWorker worker = workers.get(i);
      if (!kept.contains(worker.id)) {
        worker.process.destroyForcibly();
        workers.set(i, launch(worker.id));
      }
    }
  }

  private LocalWorker launch(String id) {
    List<String> arguments = new ArrayList<>(command);
    arguments.addAll(List.of(Integer.toString(port), id));
    try {
      Process process = new ProcessBuilder(arguments).redirectErrorStream(true).start();
      process.getOutputStream().close();
      return new LocalWorker(id, process, echo);
    } catch (IOException e) {
      throw new ClusterException(
          ErrorCode.INTERNAL,
          "cannot start worker %s with %s: %s".formatted(id, arguments.get(0), e.getMessage()),
          e);
    }
  }

  /**
   * Describes a worker that has ended although nobody asked it to, with its last lines of output.
   */
  public synchronized Optional<String> deadWorker() {
    return workers.stream()
        .filter(worker -> !worker.process.isAlive())
        .findFirst()
        .map(LocalWorker::obituary);
  }

  /** As {@link #deadWorker}, but gives a worker that is just ending a moment to do so. */
  public Optional<String> dyingWorker() {
    List<CompletableFuture<Process>> exits;
    synchronized (this) {
      exits = workers.stream().map(worker -> worker.process.onExit()).toList();
    }
    try {
      CompletableFuture.anyOf(exits.toArray(CompletableFuture[]::new))
          .get(exits.isEmpty() ? 0 : LAST_WORDS_MILLIS, TimeUnit.MILLISECONDS);
    } catch (TimeoutException | ExecutionException e) {
      return Optional.empty();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return deadWorker();
  }

  /** Ends the workers at once. */
  public synchronized void end() {
    destroyAll();
  }

  /** Waits a moment for the workers to end by themselves, then ends them. */
  @Override
  public synchronized void close() {
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(EXIT_MILLIS);
    try {
      for (LocalWorker worker : workers) {
        long left = Math.max(1, deadline - System.nanoTime());
        worker.process.waitFor(left, TimeUnit.NANOSECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    destroyAll();
    workers.clear();
    try {
      Runtime.getRuntime().removeShutdownHook(shutdownHook);
    } catch (IllegalStateException alreadyShuttingDown) {
      // The hook runs or has run; it finds nothing left to do.
      return;
    }
  }

  private void destroyAll() {
    for (LocalWorker worker : List.copyOf(workers)) {
      worker.process.destroyForcibly();
    }
  }

  private static final class LocalWorker {
    final String id;
    final Process process;
    private final Deque<String> tail = new ArrayDeque<>();
    private final Thread reader;

    LocalWorker(String id, Process process, boolean echo) {
      this.id = id;
      this.process = process;
      // Not a virtual thread: a read from a pipe keeps its carrier, and there are as few as cores.
      reader = Thread.ofPlatform().daemon().name(id + "-output").start(() -> read(echo));
    }

    private void read(boolean echo) {
      try (BufferedReader reader =
          new BufferedReader(
              new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
        for (String line = reader.readLine(); line != null; line = reader.readLine()) {
          if (echo) {
            System.err.println("[" + id + "] " + line);
          }
          if (line.startsWith(START_WARNING)) {
            continue;
          }
          synchronized (tail) {
            tail.addLast(line);
            if (tail.size() > TAIL_LINES) {
              tail.removeFirst();
            }
          }
        }
      } catch (IOException e) {
        synchronized (tail) {
          tail.addLast("its output broke off: " + e.getMessage());
        }
      }
    }

    String obituary() {
      try {
        reader.join(LAST_WORDS_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      synchronized (tail) {
        return "worker %s (process %d) ended with exit code %d; it %s"
            .formatted(
                id,
                process.pid(),
                process.exitValue(),
                tail.isEmpty() ? "printed nothing" : "printed last: " + String.join("\n  ", tail));
      }
    }
  }
}
