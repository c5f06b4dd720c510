package dev.caravan.k8s.net;

import java.io.BufferedReader;
import java.io.IOException;
import java.util.function.Predicate;

/** What a process prints on one of its streams. Thread-safe. */
final class Output {
  private final StringBuilder text = new StringBuilder(); // guarded by this
  private final Thread reader;

  /** Starts to read. */
  Output(BufferedReader stream) {
    this.reader = Thread.ofPlatform().daemon().start(() -> read(stream));
  }

  synchronized String text() {
    return text.toString();
  }

  /** Waits for a text; returns false if it did not come in time or the stream ended before. */
  synchronized boolean await(Predicate<String> wanted, long deadlineNanos)
      throws InterruptedException {
    while (!wanted.test(text())) {
      long leftMillis = (deadlineNanos - System.nanoTime()) / 1_000_000;
      if (leftMillis <= 0 || !reader.isAlive()) {
        return wanted.test(text());
      }
      wait(Math.min(leftMillis, 500));
    }
    return true;
  }

  /** Waits until the stream has ended. */
  void awaitEnd(long deadlineNanos) throws InterruptedException {
    reader.join(Math.max(1, (deadlineNanos - System.nanoTime()) / 1_000_000));
  }

  private void read(BufferedReader stream) {
    char[] buffer = new char[4096];
    try (stream) {
      for (int n = stream.read(buffer); n >= 0; n = stream.read(buffer)) {
        append(new String(buffer, 0, n));
      }
    } catch (IOException e) {
      append("[broke off: %s]".formatted(e.getMessage()));
    }
  }

  private synchronized void append(String part) {
    text.append(part);
    notifyAll();
  }
}
