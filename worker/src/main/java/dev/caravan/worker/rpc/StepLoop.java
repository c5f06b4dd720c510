package dev.caravan.worker.rpc;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.worker.collective.IoDriver;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.ManualIoEventLoop;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.FastThreadLocalThread;
import java.time.Duration;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The step thread and its event loop: one thread runs the steps and moves all frames of the
 * worker's server and of its channels to peers.
 *
 * <p>A frame that comes while a step computes stays in the socket, and interrupts nobody, until the
 * step looks for it between its tasks; a step that waits for one reads it itself. Between the two
 * no other thread has to be woken, which costs more than the frame. Between steps the loop sleeps
 * in the selector.
 */
public final class StepLoop implements IoDriver, Executor, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(StepLoop.class);

  /** Far more than a coordinator has under way at once. */
  private static final int MAX_QUEUED = 1024;

  private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long END_NANOS = TimeUnit.SECONDS.toNanos(2);
  private static final long ALL_TASKS = 0;

  /** A task ends a sleep even if it comes just before it; a mere wake-up would be lost then. */
  private static final Runnable WAKE = () -> {};

  private final ArrayBlockingQueue<Runnable> steps = new ArrayBlockingQueue<>(MAX_QUEUED);
  private final Thread thread = new FastThreadLocalThread(this::run, "step");
  private final ManualIoEventLoop loop = new ManualIoEventLoop(thread, io());
  private volatile boolean closed;

  /** Starts the thread. */
  @SuppressWarnings("this-escape") // the thread touches only what is assigned above
  public StepLoop() {
    thread.setDaemon(true);
    thread.start();
  }

  /**
   * Runs a step after those that were given before.
   *
   * @throws RejectedExecutionException if too many wait, or the loop is closed
   */
  @Override
  public void execute(Runnable step) {
    if (closed || !steps.offer(step)) {
      throw new RejectedExecutionException(
          closed ? "the loop is closed" : "%d steps are waiting".formatted(MAX_QUEUED));
    }
    wake();
  }

  /**
   * Runs something between the steps, and waits for it; what has not begun when the wait ends never
   * does.
   *
   * @throws ClusterException CANCELLED if the caller is interrupted, INTERNAL if it takes too long,
   *     or what the call throws
   */
  public <T> T call(Callable<T> call, Duration deadline) {
    FutureTask<T> task = new FutureTask<>(call);
    execute(task);
    try {
      return task.get(deadline.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ClusterException(ErrorCode.CANCELLED, "interrupted while the step thread works", e);
    } catch (TimeoutException e) {
      throw new ClusterException(
          ErrorCode.INTERNAL, "the step thread was busy for %s".formatted(deadline), e);
    } catch (ExecutionException e) {
      Throwable cause = e.getCause();
      if (cause instanceof Error error) {
        throw error;
      }
      throw cause instanceof RuntimeException exception
          ? exception
          : new IllegalStateException(cause);
    } finally {
      task.cancel(false);
    }
  }

  /** Has a server use this loop. */
  NettyServerBuilder drive(NettyServerBuilder server) {
    return server
        .channelType(
            Epoll.isAvailable() ? EpollServerSocketChannel.class : NioServerSocketChannel.class)
        .bossEventLoopGroup(loop)
        .workerEventLoopGroup(loop);
  }

  /** Has a channel use this loop. */
  NettyChannelBuilder drive(NettyChannelBuilder channel) {
    return channel
        .channelType(Epoll.isAvailable() ? EpollSocketChannel.class : NioSocketChannel.class)
        .eventLoopGroup(loop);
  }

  @Override
  public void handle() {
    if (needsCaller()) {
      loop.runNow();
    }
  }

  @Override
  public void pause() {
    handle();
    Thread.yield();
  }

  @Override
  public void sleep(long nanos) {
    if (needsCaller()) {
      loop.run(nanos);
    } else {
      LockSupport.parkNanos(this, nanos);
    }
  }

  @Override
  public void wake(Thread sleeper) {
    if (sleeper != thread) {
      LockSupport.unpark(sleeper);
    } else if (!needsCaller()) {
      wake();
    }
  }

  @Override
  public void flush() {
    if (needsCaller()) {
      loop.runNonBlockingTasks(ALL_TASKS);
    }
  }

  @Override
  public boolean needsCaller() {
    return Thread.currentThread() == thread;
  }

  /** Returns true once no step can run any more. */
  boolean hasEnded() {
    return !thread.isAlive();
  }

  /** Interrupts the step under way and ends the thread; steps that wait are left out. */
  @Override
  public void close() {
    closed = true;
    thread.interrupt();
    wake();
    try {
      thread.join(TimeUnit.NANOSECONDS.toMillis(2 * END_NANOS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (thread.isAlive()) {
      LOG.warn("the step thread did not end within {} ms", 2 * END_NANOS / 1_000_000);
    }
  }

  private void wake() {
    try {
      loop.execute(WAKE);
    } catch (RejectedExecutionException e) {
      LOG.debug("the loop has ended: nobody sleeps", e);
    }
  }

  private void run() {
    while (!closed) {
      Runnable step = steps.poll();
      if (step == null) {
        loop.run(IDLE_NANOS);
      } else {
        step.run();
      }
    }
    Thread.interrupted(); // the selector would not sleep any more
    steps.clear();
    loop.shutdownGracefully(0, END_NANOS, TimeUnit.NANOSECONDS);
    long start = System.nanoTime();
    while (!loop.isTerminated() && System.nanoTime() - start < END_NANOS) {
      loop.run(TimeUnit.MILLISECONDS.toNanos(10));
    }
  }

  private static IoHandlerFactory io() {
    return Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
  }
}
