package dev.caravan.worker.rpc;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.proto.membership.v1.JoinRequest;
import dev.caravan.proto.membership.v1.JoinResponse;
import dev.caravan.proto.membership.v1.LeaseRenewal;
import dev.caravan.proto.membership.v1.MembershipServiceGrpc;
import dev.caravan.proto.membership.v1.WorkerHello;
import dev.caravan.proto.wire.ClusterProtocol;
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
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Makes the worker a member of a cluster, once, and keeps it one: says hello, then renews the lease
 * until either side ends the membership. Thread-safe.
 */
final class MembershipClient implements AutoCloseable {
  /** Several renewals fit into one lease, so that one late one loses nothing. */
  private static final int RENEWALS_PER_LEASE = 8;

  private static final long RETRY_MILLIS = 200;

  /** A coordinator answers a hello at once; one that does not is asked anew. */
  private static final Duration HELLO_DEADLINE = Duration.ofSeconds(20);

  private final InetSocketAddress coordinator;
  private final CompletableFuture<Void> end = new CompletableFuture<>();
  private final ScheduledExecutorService renewals =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("lease-renewal").factory());
  private volatile @Nullable ManagedChannel channel;
  private volatile @Nullable StreamObserver<JoinRequest> joined;

  /**
   * @param coordinator whose name is looked up anew for each attempt
   */
  MembershipClient(InetSocketAddress coordinator) {
    this.coordinator = coordinator;
  }

  /**
   * Joins; tries again until the deadline, since a coordinator may start after its workers, or
   * again at another address.
   *
   * @param hello what to say; whatever it throws as MODEL_NOT_READY is tried again too
   * @throws ClusterException INCOMPATIBLE with the coordinator's reason if it refuses,
   *     MODEL_NOT_READY if it cannot be reached in time
   */
  void join(Supplier<WorkerHello> hello, Duration deadline) throws InterruptedException {
    long start = System.nanoTime();
    while (true) {
      Duration left = deadline.minusNanos(System.nanoTime() - start);
      try {
        tryJoin(hello.get(), left.compareTo(HELLO_DEADLINE) < 0 ? left : HELLO_DEADLINE);
        return;
      } catch (ClusterException e) {
        if (e.code() != ErrorCode.MODEL_NOT_READY || left.isNegative()) {
          throw e;
        }
        Thread.sleep(RETRY_MILLIS);
      }
    }
  }

  /**
   * Waits until the membership ends; returns true if the coordinator ended it in order.
   *
   * @throws ClusterException INCOMPATIBLE with the coordinator's reason if it takes the place away
   */
  boolean awaitEnd() throws InterruptedException {
    try {
      end.get();
      return true;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof ClusterException refused) {
        throw refused;
      }
      return false;
    }
  }

  /**
   * Ends the membership in order and waits until the coordinator has heard it; does nothing before
   * a join.
   */
  void leave(Duration limit) {
    StreamObserver<JoinRequest> requests = joined;
    if (requests == null || end.isDone()) {
      return;
    }
    synchronized (requests) {
      requests.onCompleted();
    }
    try {
      end.get(limit.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      return; // Its lease runs out; the worker ends all the same.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    renewals.shutdownNow();
    ManagedChannel open = channel;
    if (open != null) {
      open.shutdownNow();
    }
  }

  private void tryJoin(WorkerHello hello, Duration timeout) throws InterruptedException {
    ManagedChannel attempt =
        // A new one for each attempt: it looks the name up and waits for no back-off.
        NettyChannelBuilder.forAddress(coordinator.getHostString(), coordinator.getPort())
            .usePlaintext()
            .directExecutor()
            // A coordinator whose machine is gone says no goodbye.
            .keepAliveTime(ClusterProtocol.KEEP_ALIVE_SECONDS, TimeUnit.SECONDS)
            .keepAliveTimeout(ClusterProtocol.KEEP_ALIVE_SECONDS, TimeUnit.SECONDS)
            .build();
    CompletableFuture<Duration> welcome = new CompletableFuture<>();
    StreamObserver<JoinRequest> requests =
        MembershipServiceGrpc.newStub(attempt).join(new Responses(welcome));
    boolean isMember = false;
    try {
      requests.onNext(JoinRequest.newBuilder().setHello(hello).build());
      long period = awaitWelcome(welcome, timeout).toMillis() / RENEWALS_PER_LEASE;
      isMember = true;
      channel = attempt;
      joined = requests;
      renewals.scheduleAtFixedRate(() -> renew(requests), period, period, TimeUnit.MILLISECONDS);
    } finally {
      if (!isMember) {
        attempt.shutdownNow();
      }
    }
  }

  private void renew(StreamObserver<JoinRequest> requests) {
    synchronized (requests) {
      requests.onNext(
          JoinRequest.newBuilder().setRenewal(LeaseRenewal.getDefaultInstance()).build());
    }
  }

  private Duration awaitWelcome(CompletableFuture<Duration> welcome, Duration timeout)
      throws InterruptedException {
    try {
      return welcome.get(Math.max(0, timeout.toNanos()), TimeUnit.NANOSECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof ClusterException cause) {
        throw cause;
      }
      throw new ClusterException(ErrorCode.INTERNAL, "joining failed", e);
    } catch (TimeoutException e) {
      throw unreachable("no answer within %d ms".formatted(timeout.toMillis()), e);
    }
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
        return;
      }
      ClusterException refused =
          new ClusterException(
              ErrorCode.INCOMPATIBLE,
              "the coordinator refused this worker: " + response.getRefusal().getReason());
      if (!welcome.completeExceptionally(refused)) {
        end.completeExceptionally(refused);
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
