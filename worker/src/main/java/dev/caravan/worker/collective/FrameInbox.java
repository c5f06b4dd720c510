package dev.caravan.worker.collective;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.proto.wire.ExchangeFrame;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * A bounded queue between one thread that delivers frames and one that waits for them.
 *
 * <p>The waiter spins for a moment before it parks: a peer's answer is often only microseconds
 * away, and waking a parked thread costs more than that.
 */
public final class FrameInbox {
  private static final long SPIN_NANOS = 500_000;

  private final IoDriver io;
  private final AtomicReferenceArray<@Nullable ExchangeFrame> slots;
  private long taken; // confined to the waiting thread
  private long delivered; // confined to the delivering thread
  private volatile @Nullable Thread waiter;
  private volatile @Nullable ClusterException failure;

  /**
   * @param io that brings the frames
   */
  public FrameInbox(int capacity, IoDriver io) {
    this.io = io;
    this.slots = new AtomicReferenceArray<>(capacity);
  }

  /**
   * Delivers a frame and wakes the waiter.
   *
   * @return false if the queue is full: the frame was not taken
   */
  public boolean offer(ExchangeFrame frame) {
    int slot = (int) (delivered % slots.length());
    if (slots.get(slot) != null) {
      return false;
    }
    slots.set(slot, frame);
    delivered++;
    wake();
    return true;
  }

  /** True if {@link #offer} would take a frame now; for the thread that delivers. */
  public boolean hasRoom() {
    return slots.get((int) (delivered % slots.length())) == null;
  }

  /** Ends the queue: frames already delivered can still be taken, then everybody gets the error. */
  public void fail(ClusterException cause) {
    synchronized (this) {
      if (failure == null) {
        failure = cause;
      }
    }
    wake();
  }

  /** Returns why the queue ended, or null while it lives. */
  public @Nullable ClusterException failure() {
    return failure;
  }

  /**
   * Waits for the next frame.
   *
   * @return the frame, or null if none came in time
   * @throws ClusterException the cause given to {@link #fail}; CANCELLED if the thread was
   *     interrupted
   */
  public @Nullable ExchangeFrame poll(long timeoutNanos) {
    long start = System.nanoTime();
    ExchangeFrame frame = take();
    while (frame == null && System.nanoTime() - start < Math.min(SPIN_NANOS, timeoutNanos)) {
      io.pause();
      frame = take();
    }
    if (frame != null) {
      return frame;
    }
    waiter = Thread.currentThread();
    try {
      while (true) {
        // Order matters: what was delivered before the failure is still taken.
        ClusterException failed = failure;
        frame = take();
        if (frame != null) {
          return frame;
        }
        if (failed != null) {
          throw failed;
        }
        if (Thread.interrupted()) {
          Thread.currentThread().interrupt();
          throw new ClusterException(
              ErrorCode.CANCELLED, "interrupted while waiting for a frame from a peer");
        }
        long left = timeoutNanos - (System.nanoTime() - start);
        if (left <= 0) {
          return null;
        }
        io.sleep(left);
      }
    } finally {
      waiter = null;
    }
  }

  private @Nullable ExchangeFrame take() {
    int slot = (int) (taken % slots.length());
    ExchangeFrame frame = slots.get(slot);
    if (frame != null) {
      slots.set(slot, null);
      taken++;
    }
    return frame;
  }

  private void wake() {
    Thread thread = waiter;
    if (thread != null) {
      io.wake(thread);
    }
  }
}
