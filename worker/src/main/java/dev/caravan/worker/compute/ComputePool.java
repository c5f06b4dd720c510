package dev.caravan.worker.compute;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The threads that compute: the caller, and others that spin for a moment after a run and then
 * park.
 *
 * <p>Parts are claimed one by one and the caller waits for parts, not for threads: a thread that
 * has lost its core holds up nothing but the part it is in. A run allocates nothing. Lifecycle:
 * new, started, closed; {@link #run} works only while started and is called by one thread at a
 * time.
 */
public final class ComputePool implements AutoCloseable {
  private static final long SPIN_NANOS = 20_000;
  private static final int SPINS_PER_CLOCK_READ = 32;

  /** A caller that has something to do meanwhile sleeps no longer. */
  private static final long MEANWHILE_NANOS = 500_000;

  private static final long JOIN_MILLIS = 5_000;
  private static final int RUN_BITS = 32;
  private static final int NO_PART = Integer.MAX_VALUE;

  private final Worker[] workers;

  /**
   * Number of the run in the high half, next part to claim in the low one. A claim is a compare and
   * set of the whole, so a late thread cannot claim a part of a run that it has not seen.
   */
  private final AtomicLong next = new AtomicLong();

  private final AtomicInteger done = new AtomicInteger();
  private final AtomicBoolean running = new AtomicBoolean();
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

  /** Written before the run's first claim is possible, read after a claim. */
  private int tasks;

  private @Nullable Task body;
  private volatile @Nullable Thread waitingCaller;
  private volatile boolean started;
  private volatile boolean closed;

  /**
   * Makes the threads, without starting them.
   *
   * @param threads that compute, the caller included; 1 runs everything inline
   */
  public ComputePool(int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException("%d threads, at least 1 needed".formatted(threads));
    }
    workers = new Worker[threads - 1];
    for (int i = 0; i < workers.length; i++) {
      workers[i] = new Worker(i + 1);
    }
  }

  /** Threads that compute, the caller included. */
  public int threads() {
    return workers.length + 1;
  }

  /** Starts the threads. */
  public synchronized void start() {
    if (started || closed) {
      throw new IllegalStateException(closed ? "pool is closed" : "pool has been started");
    }
    started = true;
    for (Worker worker : workers) {
      worker.thread.start();
    }
  }

  /**
   * Runs all parts and returns when they are done. Parts that have not begun when one fails are
   * left out.
   *
   * @throws RuntimeException the first that a part threw, also an Error
   * @throws IllegalStateException if the pool is not started, or a part calls run
   */
  public void run(int tasks, Task body) {
    run(tasks, body, null);
  }

  /**
   * Runs all parts as {@link #run(int, Task)} does. After each part that it has done itself, and
   * again and again while it waits for those of other threads, the caller does something else.
   *
   * @param meanwhile short; what it throws is thrown as if by a part. Null for nothing
   */
  public void run(int tasks, Task body, @Nullable Runnable meanwhile) {
    if (!started || closed) {
      throw new IllegalStateException(closed ? "pool is closed" : "pool has not been started");
    }
    if (!running.compareAndSet(false, true)) {
      throw new IllegalStateException("a run is in progress");
    }
    try {
      if (workers.length == 0 || tasks <= 1) {
        for (int task = 0; task < tasks; task++) {
          body.run(task, 0);
          if (meanwhile != null) {
            meanwhile.run();
          }
        }
        return;
      }
      publish(tasks, body);
      claimParts(0, meanwhile);
      awaitParts(tasks, meanwhile);
    } finally {
      this.body = null;
      running.set(false);
    }
    rethrow(failure.getAndSet(null));
  }

  /** Ends the threads after the run in progress. Does nothing the second time. */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
    }
    for (Worker worker : workers) {
      LockSupport.unpark(worker.thread);
    }
    try {
      for (Worker worker : workers) {
        worker.thread.join(JOIN_MILLIS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void publish(int count, Task task) {
    // No claim may succeed while tasks and body change, or a late thread would mix two runs.
    long last = next.get() >>> RUN_BITS;
    next.set(last << RUN_BITS | NO_PART);
    this.tasks = count;
    this.body = task;
    done.set(0);
    next.set((last + 1) << RUN_BITS);
    int wanted = Math.min(workers.length, count - 1);
    for (int i = 0; i < wanted; i++) {
      if (workers[i].parked) {
        LockSupport.unpark(workers[i].thread);
      }
    }
  }

  /** Claims and does parts of the current run until none is left. */
  private void claimParts(int thread, @Nullable Runnable meanwhile) {
    while (true) {
      long claim = next.get();
      int count = tasks;
      Task task = body;
      int part = (int) claim;
      if (part >= count || task == null) {
        return;
      }
      if (next.compareAndSet(claim, claim + 1)) {
        doPart(task, part, thread);
        // The caller may publish the next run as soon as it sees the last part done.
        if (done.incrementAndGet() == count) {
          LockSupport.unpark(waitingCaller);
        }
        doMeanwhile(meanwhile);
      }
    }
  }

  private void doPart(Task task, int part, int thread) {
    if (failure.get() != null) {
      return;
    }
    try {
      task.run(part, thread);
    } catch (RuntimeException | Error e) {
      failure.compareAndSet(null, e);
    }
  }

  private void doMeanwhile(@Nullable Runnable meanwhile) {
    if (meanwhile != null) {
      try {
        meanwhile.run();
      } catch (RuntimeException | Error e) {
        failure.compareAndSet(null, e);
      }
    }
  }

  private void awaitParts(int count, @Nullable Runnable meanwhile) {
    long deadline = System.nanoTime() + SPIN_NANOS;
    while (done.get() < count) {
      doMeanwhile(meanwhile);
      if (System.nanoTime() < deadline) {
        Thread.onSpinWait();
        continue;
      }
      waitingCaller = Thread.currentThread();
      if (done.get() < count) {
        if (meanwhile == null) {
          LockSupport.park(this);
        } else {
          LockSupport.parkNanos(this, MEANWHILE_NANOS);
        }
      }
    }
    waitingCaller = null;
  }

  private static void rethrow(@Nullable Throwable failure) {
    if (failure instanceof Error error) {
      throw error;
    }
    if (failure instanceof RuntimeException exception) {
      throw exception;
    }
  }

  private final class Worker implements Runnable {
    private final int number;
    private final Thread thread;
    private volatile boolean parked;

    @SuppressWarnings("this-escape") // the thread starts later, in start()
    Worker(int number) {
      this.number = number;
      this.thread = Thread.ofPlatform().daemon().name("compute-" + number).unstarted(this);
    }

    @Override
    public void run() {
      long seen = 0;
      while (!closed) {
        seen = awaitRun(seen);
        claimParts(number, null);
      }
    }

    /** Spins, then parks, until there is a run that this thread has not seen or the pool closes. */
    private long awaitRun(long seen) {
      long deadline = System.nanoTime() + SPIN_NANOS;
      for (int spins = 1; next.get() >>> RUN_BITS == seen && !closed; spins++) {
        Thread.onSpinWait();
        if (spins % SPINS_PER_CLOCK_READ == 0 && System.nanoTime() > deadline) {
          parked = true;
          if (next.get() >>> RUN_BITS == seen && !closed) {
            LockSupport.park(ComputePool.this);
          }
          parked = false;
        }
      }
      return next.get() >>> RUN_BITS;
    }
  }
}
