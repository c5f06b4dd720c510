package dev.caravan.coordinator.rpc;

import dev.caravan.coordinator.cluster.Member;
import dev.caravan.coordinator.cluster.Membership;
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
    membership.onLoss(this::tellLost);
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

  /** A worker that was only silent, and lives, has to know: it may join again. */
  private void tellLost(Member member, String reason) {
    for (JoinStream stream : streams) {
      stream.tellLost(member, reason);
    }
  }

  private void takePlaceOf(Member joining) {
    for (JoinStream stream : streams) {
      stream.tellReplaced(joining);
    }
  }

  /** One worker's stream. Thread-safe. */
  private final class JoinStream implements StreamObserver<JoinRequest> {
    private final StreamObserver<JoinResponse> responses;
    private @Nullable Member member; // guarded by this
    private boolean ended; // guarded by this

    JoinStream(StreamObserver<JoinResponse> responses) {
      this.responses = responses;
    }

    @Override
    public void onNext(JoinRequest request) {
      switch (request.getMessageCase()) {
        case HELLO -> hello(request.getHello());
        case RENEWAL -> {
          Member renewing = member();
          if (renewing != null) {
            membership.renew(renewing);
          }
        }
        case MESSAGE_NOT_SET -> end(Status.INVALID_ARGUMENT.withDescription("empty join request"));
      }
    }

    private void hello(WorkerHello hello) {
      Member present = member();
      if (present != null) {
        leave("it said hello twice");
        refuse(
            "%s said hello twice on one stream; open a stream for each worker"
                .formatted(present.describe()));
        return;
      }
      if (hello.getProtocolVersion() != ClusterProtocol.VERSION) {
        refuse(otherVersion(hello));
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
      membership.sawEpoch(hello.getLastEpoch());
      // One at a time: of two workers with one id that join together, one has to hear of the other.
      synchronized (MembershipService.this) {
        takePlaceOf(joining);
        membership.join(joining);
        welcome(joining);
      }
      LOG.info("worker={} address={} joined", joining.id(), joining.address());
    }

    private String otherVersion(WorkerHello hello) {
      boolean workerIsOlder = hello.getProtocolVersion() < ClusterProtocol.VERSION;
      return "worker %s speaks protocol version %d and the coordinator %d: upgrade the %s; both have to be of the same Caravan release"
          .formatted(
              hello.getWorkerId(),
              hello.getProtocolVersion(),
              ClusterProtocol.VERSION,
              workerIsOlder ? "worker" : "coordinator");
    }

    private synchronized @Nullable Member member() {
      return member;
    }

    private synchronized void welcome(Member joining) {
      if (ended) {
        return;
      }
      member = joining;
      responses.onNext(
          JoinResponse.newBuilder()
              .setWelcome(Welcome.newBuilder().setLeaseMillis((int) membership.lease().toMillis()))
              .build());
    }

    private synchronized void refuse(String reason) {
      LOG.warn("refused a worker: {}", reason);
      if (!ended) {
        responses.onNext(
            JoinResponse.newBuilder().setRefusal(Refusal.newBuilder().setReason(reason)).build());
      }
      end();
    }

    /** Another worker takes this one's id. */
    synchronized void tellReplaced(Member joining) {
      if (member != null && member.id().equals(joining.id())) {
        member = null;
        refuse(Membership.replacedBy(joining) + "; give each worker its own --id");
      }
    }

    synchronized void tellLost(Member lost, String reason) {
      if (member != null && member.equals(lost)) {
        member = null;
        end(Status.ABORTED.withDescription("you were lost: " + reason + "; join again"));
      }
    }

    synchronized void end() {
      end(Status.OK);
    }

    private synchronized void end(Status status) {
      streams.remove(this);
      if (ended) {
        return;
      }
      ended = true;
      try {
        if (status.isOk()) {
          responses.onCompleted();
        } else {
          responses.onError(status.asRuntimeException());
        }
      } catch (IllegalStateException alreadyClosed) {
        LOG.debug("a worker had left before the end", alreadyClosed);
      }
    }

    @Override
    public void onError(Throwable error) {
      leave("its connection broke (%s)".formatted(Status.fromThrowable(error).getCode()));
      end();
    }

    @Override
    public void onCompleted() {
      leave("it left");
      end();
    }

    private void leave(String reason) {
      Member leaving;
      synchronized (this) {
        leaving = member;
        member = null;
      }
      if (leaving != null) {
        LOG.info("worker={} lost: {}", leaving.id(), reason);
        membership.leave(leaving, reason);
      }
    }
  }
}
