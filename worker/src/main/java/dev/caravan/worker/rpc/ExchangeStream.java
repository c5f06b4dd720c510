package dev.caravan.worker.rpc;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.proto.wire.ExchangeFrame;
import dev.caravan.proto.wire.FramePool;
import dev.caravan.worker.collective.FrameInbox;
import io.grpc.Status;
import io.grpc.stub.CallStreamObserver;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One end of an exchange stream, dialled or accepted.
 *
 * <p>The event loop only enqueues frames and wakes the waiter; one thread sends and receives. The
 * peer may be {@value #WINDOW_FRAMES} frames ahead: gRPC delivers no more until frames are
 * released.
 */
final class ExchangeStream implements ClientResponseObserver<ExchangeFrame, ExchangeFrame> {
  private static final int WINDOW_FRAMES = 16;
  private static final long READY_PARK_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

  private final FramePool pool;
  private final StepLoop loop;
  private final FrameInbox inbox;
  private @Nullable Consumer<ExchangeFrame> firstFrame; // confined to the event loop
  private volatile @Nullable CallStreamObserver<ExchangeFrame> outbound;
  private volatile @Nullable Thread sender;
  private boolean ended; // guarded by this
  private int released; // confined to the receiving thread

  private ExchangeStream(
      FramePool pool, StepLoop loop, @Nullable Consumer<ExchangeFrame> firstFrame) {
    this.pool = pool;
    this.loop = loop;
    this.inbox = new FrameInbox(WINDOW_FRAMES, loop);
    this.firstFrame = firstFrame;
  }

  /** The dialling end; gRPC hands it its call before that starts. */
  static ExchangeStream dialled(FramePool pool, StepLoop loop) {
    return new ExchangeStream(pool, loop, null);
  }

  /**
   * The accepting end.
   *
   * @param greet gets the stream and its first frame, on the event loop
   */
  static ExchangeStream accepted(
      FramePool pool,
      StepLoop loop,
      ServerCallStreamObserver<ExchangeFrame> responses,
      Greeting greet) {
    ExchangeStream[] self = new ExchangeStream[1];
    ExchangeStream stream = new ExchangeStream(pool, loop, frame -> greet.accept(self[0], frame));
    self[0] = stream;
    stream.outbound = responses;
    responses.setOnReadyThreshold(ExchangeTransport.READY_BYTES);
    responses.disableAutoRequest();
    responses.setOnReadyHandler(stream::wakeSender);
    responses.setOnCancelHandler(() -> stream.fail(lost("the peer cancelled the stream", null)));
    responses.request(WINDOW_FRAMES);
    return stream;
  }

  /** Reacts to the first frame of an accepted stream. */
  interface Greeting {
    void accept(ExchangeStream stream, ExchangeFrame hello);
  }

  @Override
  public void beforeStart(ClientCallStreamObserver<ExchangeFrame> requests) {
    outbound = requests;
    requests.disableAutoRequestWithInitial(WINDOW_FRAMES);
    requests.setOnReadyHandler(this::wakeSender);
  }

  @Override
  public void onNext(ExchangeFrame frame) {
    ClusterException defect = frame.defect().orElse(null);
    if (defect != null) {
      pool.giveBack(frame);
      fail(defect);
      return;
    }
    Consumer<ExchangeFrame> first = firstFrame;
    if (first != null) {
      firstFrame = null;
      first.accept(frame);
    } else if (!inbox.offer(frame)) {
      fail(lost("more than %d frames came unasked".formatted(WINDOW_FRAMES), null));
    }
  }

  @Override
  public void onError(Throwable t) {
    Status status = Status.fromThrowable(t);
    fail(lost("its stream broke: %s %s".formatted(status.getCode(), status.getDescription()), t));
  }

  @Override
  public void onCompleted() {
    fail(lost("it closed its stream", null));
  }

  /** Returns true once the stream can carry nothing more. */
  boolean isBroken() {
    return inbox.failure() != null;
  }

  /** Sends a hello that the caller never touches again; it may wait for the connection. */
  void sendHello(ExchangeFrame hello) {
    write(hello);
  }

  /** True if the next {@link #send} does not wait, be it that it fails. */
  boolean isReady() {
    CallStreamObserver<ExchangeFrame> stream = outbound;
    return isBroken() || stream == null || stream.isReady();
  }

  /**
   * Sends a frame, which is read before this returns.
   *
   * <p>A stream that is ready is connected: gRPC then drains a frame at once instead of keeping it
   * until there is a connection. Waiting for it also bounds what lies in the transport's buffers.
   */
  void send(ExchangeFrame frame, long timeoutNanos) {
    awaitReady(timeoutNanos);
    write(frame);
    loop.flush();
  }

  /**
   * Waits until all that was sent has left, if it leaves only while this thread waits: a peer would
   * get the rest of a large frame only when this worker has nothing more to compute.
   */
  void flush(long timeoutNanos) {
    if (loop.needsCaller()) {
      awaitReady(timeoutNanos);
    }
  }

  @Nullable ExchangeFrame poll(long timeoutNanos) {
    return inbox.poll(timeoutNanos);
  }

  /** Takes a frame back and asks for more in batches: each request wakes the event loop. */
  void release(ExchangeFrame frame) {
    pool.giveBack(frame);
    released++;
    CallStreamObserver<ExchangeFrame> stream = outbound;
    if (released == WINDOW_FRAMES / 2 && stream != null) {
      released = 0;
      stream.request(WINDOW_FRAMES / 2);
    }
  }

  /** Ends the stream in both directions; the waiting thread gets the cause. Idempotent. */
  void fail(ClusterException cause) {
    inbox.fail(cause);
    wakeSender();
    synchronized (this) {
      if (ended) {
        return;
      }
      ended = true;
      Status status =
          switch (cause.code()) {
            case STALE_EPOCH -> Status.FAILED_PRECONDITION;
            case OVERLOADED -> Status.RESOURCE_EXHAUSTED;
            case INCOMPATIBLE, INTERNAL -> Status.INVALID_ARGUMENT;
            default -> Status.CANCELLED;
          };
      switch (outbound) {
        case null -> {}
        case ClientCallStreamObserver<ExchangeFrame> client ->
            client.cancel(cause.getMessage(), cause);
        case ServerCallStreamObserver<ExchangeFrame> server when !server.isCancelled() ->
            server.onError(status.withDescription(cause.getMessage()).asRuntimeException());
        default -> {}
      }
    }
  }

  private void write(ExchangeFrame frame) {
    synchronized (this) {
      CallStreamObserver<ExchangeFrame> stream = outbound;
      if (ended || stream == null) {
        throwFailure();
        throw new IllegalStateException("the stream was not started");
      }
      try {
        stream.onNext(frame);
        return;
      } catch (RuntimeException e) {
        // gRPC reports a call that just ended with whatever its state machine trips over.
        inbox.fail(lost("its stream takes no more frames: " + e.getMessage(), e));
      }
    }
    throwFailure();
  }

  private void awaitReady(long timeoutNanos) {
    CallStreamObserver<ExchangeFrame> stream = outbound;
    if (stream == null) {
      throw new IllegalStateException("the stream was not started");
    }
    throwFailure();
    if (stream.isReady()) {
      return;
    }
    long start = System.nanoTime();
    sender = Thread.currentThread();
    try {
      while (!stream.isReady()) {
        throwFailure();
        long left = timeoutNanos - (System.nanoTime() - start);
        if (left <= 0) {
          throw lost(
              "its transport took nothing for %d ms".formatted(timeoutNanos / 1_000_000), null);
        }
        if (Thread.interrupted()) {
          Thread.currentThread().interrupt();
          throw new ClusterException(ErrorCode.CANCELLED, "interrupted while sending to a peer");
        }
        loop.sleep(Math.min(left, READY_PARK_NANOS));
      }
    } finally {
      sender = null;
    }
  }

  private void throwFailure() {
    ClusterException failure = inbox.failure();
    if (failure != null) {
      throw failure;
    }
  }

  private void wakeSender() {
    Thread thread = sender;
    if (thread != null) {
      loop.wake(thread);
    }
  }

  private static ClusterException lost(String what, @Nullable Throwable cause) {
    return new ClusterException(ErrorCode.WORKER_LOST, what, cause);
  }
}
