package dev.caravan.bench.cli;

import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** Says now and then on standard error how far a command is, until it is closed. */
final class ProgressLines implements AutoCloseable {
  private final ScheduledExecutorService clock;

  private ProgressLines(ScheduledExecutorService clock) {
    this.clock = clock;
  }

  /**
   * Starts.
   *
   * @param progress called on a thread of its own
   */
  static ProgressLines every(int seconds, Supplier<String> progress) {
    ScheduledExecutorService clock =
        Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("progress").factory());
    var _ =
        clock.scheduleAtFixedRate(
            () -> System.err.println("caravan: " + progress.get()),
            seconds,
            seconds,
            TimeUnit.SECONDS);
    return new ProgressLines(clock);
  }

  @Override
  public void close() {
    clock.shutdownNow();
  }
}
