package dev.caravan.coordinator.rpc;

import dev.caravan.coordinator.cluster.Member;
import dev.caravan.coordinator.cluster.Membership;
import dev.caravan.model.error.ClusterException;
import dev.caravan.proto.membership.v1.JoinRequest;
import dev.caravan.proto.membership.v1.JoinResponse;
import dev.caravan.proto.membership.v1.MembershipServiceGrpc;
import dev.caravan.proto.membership.v1.Refusal;
import dev.caravan.proto.membership.v1.Welcome;
import dev.caravan.proto.membership.v1.WorkerHello;
import dev.caravan.proto.wire.ClusterProtocol;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Serves {@link Membership} over gRPC. Thread-safe. */
final class MembershipService extends MembershipServiceGrpc.MembershipServiceImplBase {
  private static final Logger LOG = LoggerFactory.getLogger(MembershipService.class);

  private final Membership membership;
  private final Set<JoinStream> streams = ConcurrentHashMap.newKeySet();

  MembershipService(Membership membership) {
    this.membership = membership;
  }

  /** Ends all memberships in order: the workers know that they are not needed any more. */
  void endAll() {
    for (JoinStream stream : streams) {
      stream.end();
    }
  }

  @Override
  public StreamObserver<JoinRequest> join(StreamObserver<JoinResponse> responses) {
    JoinStream stream = new JoinStream(responses);
    streams.add(stream);
    return stream;
  }

  /** One worker's stream. Confined to its gRPC call, which delivers one message at a time. */
  private final class JoinStream implements StreamObserver<JoinRequest> {
    private final StreamObserver<JoinResponse> responses;
    private @Nullable Member member;

    JoinStream(StreamObserver<JoinResponse> responses) {
      this.responses = responses;
    }

    @Override
    public void onNext(JoinRequest request) {
      switch (request.getMessageCase()) {
        case HELLO -> hello(request.getHello());
        case RENEWAL -> {
          if (member != null) {
            membership.renew(member);
          }
        }
        case MESSAGE_NOT_SET ->
            responses.onError(
                Status.INVALID_ARGUMENT.withDescription("empty join request").asRuntimeException());
      }
    }

    private void hello(WorkerHello hello) {
      if (member != null) {
        refuse(
            "%s said hello twice on one stream; open a stream for each worker"
                .formatted(member.describe()));
        leave("it said hello twice");
        return;
      }
      if (hello.getProtocolVersion() != ClusterProtocol.VERSION) {
        refuse(
            "worker %s speaks protocol version %d and the coordinator %d; run the same Caravan release on both"
                .formatted(
                    hello.getWorkerId(), hello.getProtocolVersion(), ClusterProtocol.VERSION));
        return;
      }
      Member joining =
          new Member(
              hello.getWorkerId(),
              hello.getHost(),
              hello.getPort(),
              hello.getProcessors(),
              hello.getMemoryBytes(),
              hello.getProcessId());
      try {
        membership.join(joining);
      } catch (ClusterException e) {
        refuse(e.getMessage());
        return;
      }
      member = joining;
      LOG.info("worker={} address={} joined", joining.id(), joining.address());
      responses.onNext(
          JoinResponse.newBuilder()
              .setWelcome(Welcome.newBuilder().setLeaseMillis((int) membership.lease().toMillis()))
              .build());
    }

    private void refuse(@Nullable String reason) {
      LOG.warn("refused a worker: {}", reason);
      responses.onNext(
          JoinResponse.newBuilder()
              .setRefusal(Refusal.newBuilder().setReason(String.valueOf(reason)))
              .build());
      responses.onCompleted();
    }

    void end() {
      try {
        responses.onCompleted();
      } catch (IllegalStateException alreadyClosed) {
        LOG.debug("a worker had left before the end", alreadyClosed);
      }
    }

    @Override
    public void onError(Throwable error) {
      leave("its connection broke (%s)".formatted(Status.fromThrowable(error).getCode()));
    }

    @Override
    public void onCompleted() {
      leave("it left");
      end();
    }

    private void leave(String reason) {
      streams.remove(this);
      if (member != null) {
        membership.leave(member, reason);
        member = null;
      }
    }
  }
}
