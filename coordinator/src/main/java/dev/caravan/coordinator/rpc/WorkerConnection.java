package dev.caravan.coordinator.rpc;

import dev.caravan.coordinator.cluster.Member;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.model.shard.Shard;
import dev.caravan.proto.wire.ClusterProtocol;
import dev.caravan.proto.wire.ErrorCodec;
import dev.caravan.proto.worker.v1.ExecuteRequest;
import dev.caravan.proto.worker.v1.ExecuteResponse;
import dev.caravan.proto.worker.v1.LoadReady;
import dev.caravan.proto.worker.v1.LoadRequest;
import dev.caravan.proto.worker.v1.LoadResponse;
import dev.caravan.proto.worker.v1.WorkerServiceGrpc;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The coordinator's end of one worker: its channel and its stream of steps.
 *
 * <p>Steps are confined to the generation loop, one in flight; answers come on gRPC's threads.
 */
final class WorkerConnection {
  private final Member member;
  private final Shard shard;
  private final ManagedChannel channel;
  private final FailureListener onFailure;
  private volatile @Nullable StreamObserver<ExecuteRequest> requests;
  private volatile CompletableFuture<ExecuteResponse> answer = new CompletableFuture<>();
  private volatile boolean closing;

  /** Hears why a stream of steps ended before close(); called on gRPC's threads. */
  interface FailureListener {
    /**
     * @param reportedByWorker true if the worker lives and reported the error, false if it is lost
     */
    void failed(WorkerConnection worker, ClusterException error, boolean reportedByWorker);
  }

  WorkerConnection(Member member, Shard shard, FailureListener onFailure) {
    this.member = member;
    this.shard = shard;
    this.onFailure = onFailure;
    this.channel =
        NettyChannelBuilder.forAddress(member.host(), member.port())
            .usePlaintext()
            .disableRetry()
            .directExecutor()
            .maxInboundMessageSize(ClusterProtocol.MAX_MESSAGE_BYTES)
            .flowControlWindow(8 << 20)
            .build();
  }

  Member member() {
    return member;
  }

  Shard shard() {
    return shard;
  }

  /** Names the worker and its place for people. */
  String describe() {
    return "worker %s (stage %d, rank %d, %s, process %d)"
        .formatted(member.id(), shard.stage(), shard.rank(), member.address(), member.processId());
  }

  /**
   * Starts to load the shard.
   *
   * @param progress hears (done bytes, total bytes)
   * @return completes when the worker is ready, or with its ClusterException
   */
  CompletableFuture<LoadReady> load(
      LoadRequest request, Duration deadline, BiConsumer<Long, Long> progress) {
    CompletableFuture<LoadReady> ready = new CompletableFuture<>();
    WorkerServiceGrpc.newStub(channel)
        .withDeadlineAfter(deadline.toMillis(), TimeUnit.MILLISECONDS)
        .load(
            request,
            new StreamObserver<>() {
              @Override
              public void onNext(LoadResponse response) {
                if (response.hasProgress()) {
                  progress.accept(
                      response.getProgress().getDoneBytes(),
                      response.getProgress().getTotalBytes());
                } else if (response.hasReady()) {
                  ready.complete(response.getReady());
                }
              }

              @Override
              public void onError(Throwable error) {
                ready.completeExceptionally(loadFailure(error));
              }

              @Override
              public void onCompleted() {
                ready.completeExceptionally(
                    new ClusterException(
                        ErrorCode.INTERNAL, describe() + " ended loading without being ready"));
              }
            });
    return ready;
  }

  /** Opens the stream of steps. */
  void open() {
    requests = WorkerServiceGrpc.newStub(channel).execute(new Answers());
  }

  /** Sends a step; the answer completes the returned future, unless the stream fails first. */
  CompletableFuture<ExecuteResponse> execute(ExecuteRequest request) {
    StreamObserver<ExecuteRequest> stream = requests;
    if (stream == null) {
      throw new IllegalStateException("the stream of steps is not open");
    }
    CompletableFuture<ExecuteResponse> pending = new CompletableFuture<>();
    answer = pending;
    stream.onNext(request);
    return pending;
  }

  /** Starts to close in order; close() waits for it. */
  void end() {
    closing = true;
    StreamObserver<ExecuteRequest> stream = requests;
    if (stream != null) {
      requests = null;
      stream.onCompleted();
    }
    channel.shutdown();
  }

  /** Closes; waits until the worker has answered, up to a moment in nanoseconds. */
  void close(long deadlineNanos) {
    end();
    try {
      long left = Math.max(0, deadlineNanos - System.nanoTime());
      if (!channel.awaitTermination(left, TimeUnit.NANOSECONDS)) {
        channel.shutdownNow();
      }
    } catch (InterruptedException e) {
      channel.shutdownNow();
      Thread.currentThread().interrupt();
    }
  }

  /** What went wrong on which of the machines: they may keep different files. */
  private ClusterException loadFailure(Throwable error) {
    ClusterException failure = failure(error, "while it loaded its shard");
    return ErrorCodec.fromStatus(error) == null
        ? failure
        : new ClusterException(
            failure.code(), describe() + " reports: " + failure.getMessage(), failure);
  }

  private ClusterException failure(Throwable error, String when) {
    ClusterException reported = ErrorCodec.fromStatus(error);
    if (reported != null) {
      return reported;
    }
    Status status = Status.fromThrowable(error);
    ErrorCode code =
        status.getCode() == Status.Code.DEADLINE_EXCEEDED
            ? ErrorCode.DEADLINE_EXCEEDED
            : ErrorCode.WORKER_LOST;
    return new ClusterException(
        code,
        "%s was lost %s: %s%s"
            .formatted(
                describe(),
                when,
                status.getCode(),
                status.getDescription() == null ? "" : " (" + status.getDescription() + ")"),
        error);
  }

  private final class Answers implements StreamObserver<ExecuteResponse> {
    @Override
    public void onNext(ExecuteResponse response) {
      answer.complete(response);
    }

    @Override
    public void onError(Throwable error) {
      if (!closing) {
        onFailure.failed(
            WorkerConnection.this,
            failure(error, "in mid-step"),
            ErrorCodec.fromStatus(error) != null);
      }
    }

    @Override
    public void onCompleted() {
      if (!closing) {
        onFailure.failed(
            WorkerConnection.this,
            new ClusterException(
                ErrorCode.WORKER_LOST, describe() + " was lost: it ended its stream of steps"),
            false);
      }
    }
  }
}
