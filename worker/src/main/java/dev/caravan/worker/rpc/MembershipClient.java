package dev.caravan.worker.rpc;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.proto.membership.v1.JoinRequest;
import dev.caravan.proto.membership.v1.JoinResponse;
import dev.caravan.proto.membership.v1.LeaseRenewal;
import dev.caravan.proto.membership.v1.MembershipServiceGrpc;
import dev.caravan.proto.membership.v1.WorkerHello;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Keeps the worker a member of its cluster: says hello once, then renews the lease until the
 * coordinator ends the membership. Thread-safe.
 */
final class MembershipClient implements AutoCloseable {
  /** Several renewals fit into one lease, so that one late one loses nothing. */
  private static final int RENEWALS_PER_LEASE = 8;

  private static final long RETRY_MILLIS = 200;

  private final InetSocketAddress coordinator;
  private final ManagedChannel channel;
  private final CompletableFuture<Void> end = new CompletableFuture<>();
  private final ScheduledExecutorService renewals =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("lease-renewal").factory());

  MembershipClient(InetSocketAddress coordinator) {
    this.coordinator = coordinator;
    this.channel =
        NettyChannelBuilder.forAddress(coordinator.getHostString(), coordinator.getPort())
            .usePlaintext()
            .directExecutor()
            .build();
  }

  /**
   * Joins; tries again until the deadline, since a coordinator may start after its workers.
   *
   * @throws ClusterException INCOMPATIBLE with the coordinator's reason if it refuses,
   *     MODEL_NOT_READY if it cannot be reached in time
   */
  void join(WorkerHello hello, Duration deadline) throws InterruptedException {
    long end = System.nanoTime() + deadline.toNanos();
    while (true) {
      try {
        tryJoin(hello, Math.max(0, end - System.nanoTime()));
        return;
      } catch (ClusterException e) {
        if (e.code() != ErrorCode.MODEL_NOT_READY || System.nanoTime() > end) {
          throw e;
        }
        Thread.sleep(RETRY_MILLIS);
        // Left to itself the channel waits up to two minutes between attempts.
        channel.resetConnectBackoff();
      }
    }
  }

  /** Waits until the coordinator ends the membership; returns true if it did so in order. */
  boolean awaitEnd() throws InterruptedException {
    try {
      end.get();
      return true;
    } catch (ExecutionException e) {
      return false;
    }
  }

  @Override
  public void close() {
    renewals.shutdownNow();
    channel.shutdownNow();
  }

  /**
   * Says hello once. A coordinator that is slow to answer is waited for: a second hello would find
   * the id taken by the first.
   */
  private void tryJoin(WorkerHello hello, long timeoutNanos) throws InterruptedException {
    CompletableFuture<Duration> welcome = new CompletableFuture<>();
    StreamObserver<JoinRequest> requests =
        MembershipServiceGrpc.newStub(channel).join(new Responses(welcome));
    requests.onNext(JoinRequest.newBuilder().setHello(hello).build());
    Duration lease;
    try {
      lease = welcome.get(timeoutNanos, TimeUnit.NANOSECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof ClusterException cause) {
        throw cause;
      }
      throw new ClusterException(ErrorCode.INTERNAL, "joining failed", e);
    } catch (TimeoutException e) {
      requests.onError(Status.CANCELLED.withDescription("no answer in time").asException());
      throw unreachable(
          "no answer within %d s".formatted(TimeUnit.NANOSECONDS.toSeconds(timeoutNanos)), e);
    }
    long period = lease.toMillis() / RENEWALS_PER_LEASE;
    JoinRequest renewal =
        JoinRequest.newBuilder().setRenewal(LeaseRenewal.getDefaultInstance()).build();
    renewals.scheduleAtFixedRate(
        () -> requests.onNext(renewal), period, period, TimeUnit.MILLISECONDS);
  }

  private ClusterException unreachable(String why, Throwable cause) {
    return new ClusterException(
        ErrorCode.MODEL_NOT_READY,
        "cannot join the coordinator at %s:%d: %s; is it running and is the address right?"
            .formatted(coordinator.getHostString(), coordinator.getPort(), why),
        cause);
  }

  private final class Responses implements StreamObserver<JoinResponse> {
    private final CompletableFuture<Duration> welcome;

    Responses(CompletableFuture<Duration> welcome) {
      this.welcome = welcome;
    }

    @Override
    public void onNext(JoinResponse response) {
      if (response.hasWelcome()) {
        welcome.complete(Duration.ofMillis(response.getWelcome().getLeaseMillis()));
      } else {
        welcome.completeExceptionally(
            new ClusterException(
                ErrorCode.INCOMPATIBLE,
                "the coordinator refused this worker: " + response.getRefusal().getReason()));
      }
    }

    @Override
    public void onError(Throwable error) {
      Status status = Status.fromThrowable(error);
      String why =
          status.getDescription() == null
              ? status.getCode().toString()
              : status.getCode() + " (" + status.getDescription() + ")";
      if (!welcome.completeExceptionally(unreachable(why, error))) {
        end.completeExceptionally(error);
      }
    }

    @Override
    public void onCompleted() {
      if (!welcome.completeExceptionally(
          unreachable("it closed the stream", new IllegalStateException("closed")))) {
        end.complete(null);
      }
    }
  }
}
