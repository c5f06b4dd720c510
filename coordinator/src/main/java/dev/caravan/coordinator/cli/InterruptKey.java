package dev.caravan.coordinator.cli;

import org.jline.utils.Signals;

/** Makes Ctrl-C run an action instead of ending the process, until it is closed. */
final class InterruptKey implements AutoCloseable {
  private static final String INTERRUPT = "INT";

  private final Object before;

  private InterruptKey(Object before) {
    this.before = before;
  }

  static InterruptKey runs(Runnable action) {
    return new InterruptKey(Signals.register(INTERRUPT, action));
  }

  @Override
  public void close() {
    Signals.unregister(INTERRUPT, before);
  }
}
