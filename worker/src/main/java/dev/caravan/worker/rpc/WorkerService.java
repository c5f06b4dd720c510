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
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves one shard at a time. Thread-safe: all work on the shard is done by one step thread, in the
 * order in which it was asked for.
 */
final class WorkerService extends WorkerServiceGrpc.WorkerServiceImplBase implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(WorkerService.class);
  private static final long PROGRESS_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  private final ShardHost host;
  private final WorkerHealth health;
  private final ExecutorService stepThread =
      Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().name("step").factory());

  WorkerService(ShardHost host, WorkerHealth health) {
    this.host = host;
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
        responses,
        () -> {
          LoadReady ready = host.load(request, new ThrottledProgress(responses));
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
        submit(responses, () -> responses.onNext(host.execute(request)));
      }

      @Override
      public void onError(Throwable error) {
        LOG.info("the coordinator's stream of steps broke: {}", Status.fromThrowable(error));
      }

      @Override
      public void onCompleted() {
        submit(responses, responses::onCompleted);
      }
    };
  }

  @Override
  public void close() {
    stepThread.shutdownNow();
    try {
      if (!stepThread.awaitTermination(2, TimeUnit.SECONDS)) {
        LOG.warn("the step thread did not end within 2 s");
        return;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return;
    }
    host.close();
  }

  /** Runs work on the step thread; whatever goes wrong goes back to the one who asked. */
  private void submit(StreamObserver<?> responses, Runnable work) {
    try {
      stepThread.execute(() -> {
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
