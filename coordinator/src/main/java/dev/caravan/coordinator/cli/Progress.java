package dev.caravan.coordinator.cli;

import dev.caravan.coordinator.rpc.LoadListener;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/**
 * Shows on standard error how long work goes on: a progress bar on a terminal, a line every few
 * seconds elsewhere, nothing at all if it takes less than a second. Thread-safe.
 */
public final class Progress implements LoadListener, AutoCloseable {
  private static final long QUIET_NANOS = 1_000_000_000L;
  private static final long LINE_NANOS = 5_000_000_000L;
  private static final long MEBIBYTE = 1 << 20;

  private final boolean terminal = System.console() != null && System.console().isTerminal();
  private final long startNanos = System.nanoTime();
  private long lastLineNanos = startNanos;
  private final String task;
  private @Nullable ProgressBar bar;
  private boolean shown;

  /**
   * @param task what is done to the bytes: loading, writing
   */
  public Progress(String task) {
    this.task = task;
  }

  @Override
  public synchronized void waiting(String address, int expected) {
    line(
        "waiting for %d workers; start each with: caravan worker --coordinator %s"
            .formatted(expected, address));
  }

  @Override
  public synchronized void joined(int workers, int expected) {
    if (workers < expected && isDue()) {
      line("%d of %d workers have joined".formatted(workers, expected));
    }
  }

  @Override
  public synchronized void loaded(long doneBytes, long totalBytes) {
    if (terminal && System.nanoTime() - startNanos > QUIET_NANOS && doneBytes < totalBytes) {
      shown = true;
      if (bar == null) {
        bar =
            new ProgressBarBuilder()
                .setTaskName(task)
                .setUnit("MiB", MEBIBYTE)
                .setStyle(ProgressBarStyle.UNICODE_BLOCK)
                .setInitialMax(totalBytes)
                .build();
      }
      bar.maxHint(totalBytes);
      bar.stepTo(doneBytes);
    } else if (!terminal && totalBytes > 0 && isDue()) {
      shown = true;
      line(
          "%s: %d of %d MiB (%d %%)"
              .formatted(
                  task, doneBytes / MEBIBYTE, totalBytes / MEBIBYTE, 100 * doneBytes / totalBytes));
    }
  }

  @Override
  public synchronized void priming() {
    close();
    if (shown) {
      line("all weights are loaded, the workers compile their kernels");
    }
  }

  @Override
  public synchronized void rehearsing() {
    close();
    line("warming up");
  }

  @Override
  public synchronized void close() {
    if (bar != null) {
      bar.close();
      bar = null;
    }
  }

  private boolean isDue() {
    return System.nanoTime() - lastLineNanos > LINE_NANOS;
  }

  private void line(String text) {
    lastLineNanos = System.nanoTime();
    System.err.println("caravan: " + text);
  }
}
