package dev.caravan.coordinator.cli;

import sun.misc.Signal;
import sun.misc.SignalHandler;

/** Makes Ctrl-C run an action instead of ending the process, until it is closed. */
final class InterruptKey implements AutoCloseable {
  private static final Signal INTERRUPT = new Signal("INT");

  private final SignalHandler before;

  private InterruptKey(SignalHandler before) {
    this.before = before;
  }

  static InterruptKey runs(Runnable action) {
    return new InterruptKey(Signal.handle(INTERRUPT, _ -> action.run()));
  }

  @Override
  public void close() {
    Signal.handle(INTERRUPT, before);
  }
}
