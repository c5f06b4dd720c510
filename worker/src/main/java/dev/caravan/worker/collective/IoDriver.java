package dev.caravan.worker.collective;

import java.util.concurrent.locks.LockSupport;

/** Who moves frames while a thread waits for them: other threads, or the waiting thread itself. */
public interface IoDriver {

  /** Other threads move frames: whoever waits gives way and sleeps. */
  IoDriver BACKGROUND = new BackgroundDriver();

  /** Handles what has come, if nobody else does. */
  void handle();

  /** Handles what has come, and gives way. */
  void pause();

  /**
   * Sleeps until something has happened, {@link #wake} was called, or the time is over; may return
   * early.
   */
  void sleep(long nanos);

  /** Ends the {@link #sleep} that a thread is in, or is about to begin. Thread-safe. */
  void wake(Thread sleeper);

  /** Starts to move what was sent. */
  void flush();

  /** True if nothing is moved unless the calling thread waits. */
  boolean needsCaller();

  /** See {@link #BACKGROUND}. */
  final class BackgroundDriver implements IoDriver {
    private BackgroundDriver() {}

    @Override
    public void handle() {}

    @Override
    public void pause() {
      // Where cores are scarce, whoever brings the frame gets this one at once.
      Thread.yield();
    }

    @Override
    public void sleep(long nanos) {
      LockSupport.parkNanos(this, nanos);
    }

    @Override
    public void wake(Thread sleeper) {
      LockSupport.unpark(sleeper);
    }

    @Override
    public void flush() {}

    @Override
    public boolean needsCaller() {
      return false;
    }
  }
}
