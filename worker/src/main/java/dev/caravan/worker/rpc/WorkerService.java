package dev.caravan.worker.rpc;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.proto.wire.ErrorCodec;
import dev.caravan.proto.worker.v1.ExecuteRequest;
import dev.caravan.proto.worker.v1.ExecuteResponse;
import dev.caravan.proto.worker.v1.LoadProgress;
import dev.caravan.proto.worker.v1.LoadReady;
import dev.caravan.proto.worker.v1.LoadRequest;
import dev.caravan.proto.worker.v1.LoadResponse;
import dev.caravan.proto.worker.v1.WorkerServiceGrpc;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves one shard at a time. Thread-safe: all steps are done by the loop's thread, in the order in
 * which they were asked for; shards are loaded by another.
 */
final class WorkerService extends WorkerServiceGrpc.WorkerServiceImplBase implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(WorkerService.class);
  private static final long PROGRESS_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  /** A step that waits for peers fails as soon as a later epoch begins: what is left computes. */
  private static final Duration STEP_DEADLINE = Duration.ofMinutes(10);

  /** Peers join when they have loaded; theirs may take that much longer. */
  private static final Duration JOIN_DEADLINE = Duration.ofMinutes(61);

  private final ShardHost host;
  private final WorkerHealth health;
  private final StepLoop loop;
  private final ExecutorService loader =
      Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().name("loader").factory());

  WorkerService(ShardHost host, StepLoop loop, WorkerHealth health) {
    this.host = host;
    this.loop = loop;
    this.health = health;
  }

  @Override
  public void load(LoadRequest request, StreamObserver<LoadResponse> responses) {
    try {
      host.enter(request.getEpoch());
    } catch (ClusterException e) {
      fail(responses, e);
      return;
    }
    health.ready(false);
    submit(
        loader,
        responses,
        () -> {
          loop.call(Executors.callable(host::leaveEpoch), STEP_DEADLINE);
          ShardHost.Prepared prepared = host.prepare(request, new ThrottledProgress(responses));
          LoadReady ready = loop.call(() -> host.join(prepared), JOIN_DEADLINE);
          health.ready(true);
          synchronized (responses) {
            responses.onNext(LoadResponse.newBuilder().setReady(ready).build());
            responses.onCompleted();
          }
        });
  }

  @Override
  public StreamObserver<ExecuteRequest> execute(StreamObserver<ExecuteResponse> responses) {
    return new StreamObserver<>() {
      @Override
      public void onNext(ExecuteRequest request) {
        submit(loop, responses, () -> responses.onNext(host.execute(request)));
      }

      @Override
      public void onError(Throwable error) {
        LOG.info("the coordinator's stream of steps broke: {}", Status.fromThrowable(error));
      }

      @Override
      public void onCompleted() {
        submit(loop, responses, responses::onCompleted);
      }
    };
  }

  /** Ends the loop, too: what the host frees may not be in use. */
  @Override
  public void close() {
    loader.shutdownNow();
    loop.close();
    try {
      if (!loader.awaitTermination(2, TimeUnit.SECONDS)) {
        LOG.warn("a load did not end within 2 s");
        return;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return;
    }
    if (loop.hasEnded()) {
      host.close();
    }
  }

  /** Runs work on another thread; whatever goes wrong goes back to the one who asked. */
  private static void submit(Executor thread, StreamObserver<?> responses, Runnable work) {
    try {
      thread.execute(() -> {
        try {
          work.run();
        } catch (RuntimeException | Error e) {
          LOG.debug("failed", e);
          fail(responses, e);
        }
      });
    } catch (RejectedExecutionException e) {
      fail(
          responses,
          new ClusterException(ErrorCode.MODEL_NOT_READY, "this worker is shutting down", e));
    }
  }

  private static void fail(StreamObserver<?> responses, Throwable error) {
    try {
      synchronized (responses) {
        responses.onError(ErrorCodec.toStatus(error));
      }
    } catch (IllegalStateException alreadyClosed) {
      LOG.info("the error could not be reported, the stream is closed: {}", error.toString());
    }
  }

  /** Sends progress a few times a second, whatever the number of threads that report it. */
  private static final class ThrottledProgress
      implements dev.caravan.worker.load.ShardLoader.ProgressListener {
    private final StreamObserver<LoadResponse> responses;
    private long lastNanos;

    ThrottledProgress(StreamObserver<LoadResponse> responses) {
      this.responses = responses;
    }

    @Override
    public void loaded(long doneBytes, long totalBytes) {
      synchronized (responses) {
        if (System.nanoTime() - lastNanos > PROGRESS_NANOS || doneBytes == totalBytes) {
          lastNanos = System.nanoTime();
          responses.onNext(
              LoadResponse.newBuilder()
                  .setProgress(
                      LoadProgress.newBuilder().setDoneBytes(doneBytes).setTotalBytes(totalBytes))
                  .build());
        }
      }
    }
  }
}
