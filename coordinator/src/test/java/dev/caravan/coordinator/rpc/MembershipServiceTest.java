package dev.caravan.coordinator.rpc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.coordinator.cluster.Member;
import dev.caravan.coordinator.cluster.Membership;
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
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A hand-made worker joins a real server. */
@Timeout(30)
class MembershipServiceTest {
  private static final long LEASE_MILLIS = 600;

  private final Membership membership =
      new Membership(Duration.ofMillis(LEASE_MILLIS), System::nanoTime);
  private final BlockingQueue<String> losses = new LinkedBlockingQueue<>();
  private final CoordinatorServer server =
      new CoordinatorServer(new InetSocketAddress("127.0.0.1", 0), membership);
  private ManagedChannel channel;

  @BeforeEach
  void start() {
    membership.onLoss((member, reason) -> losses.add(member.id() + ": " + reason));
    server.start();
    channel = NettyChannelBuilder.forAddress("127.0.0.1", server.port()).usePlaintext().build();
  }

  @AfterEach
  void stop() {
    channel.shutdownNow();
    server.close();
  }

  @Test
  void workerIsWelcomedWithTheLease() throws InterruptedException {
    Heard heard = join(hello("a", ClusterProtocol.VERSION));
    assertThat(heard.next().getWelcome().getLeaseMillis()).isEqualTo((int) LEASE_MILLIS);
    assertThat(membership.members())
        .containsExactly(new Member("a", "10.0.0.7", 7001, 4, 1L << 33, 42));
  }

  @Test
  void workerOfAnotherProtocolVersionIsRefusedWithBothVersions() throws InterruptedException {
    Heard heard = join(hello("a", ClusterProtocol.VERSION + 1));
    assertThat(heard.next().getRefusal().getReason())
        .contains("worker a", "version " + (ClusterProtocol.VERSION + 1), "same Caravan release");
    assertThat(heard.end()).isEqualTo("completed");
    assertThat(membership.members()).isEmpty();
  }

  @Test
  void olderSideOfTwoVersionsIsToldToUpgrade() throws InterruptedException {
    assertThat(join(hello("a", ClusterProtocol.VERSION + 1)).next().getRefusal().getReason())
        .contains("upgrade the coordinator");
    assertThat(join(hello("a", ClusterProtocol.VERSION - 1)).next().getRefusal().getReason())
        .contains("upgrade the worker");
  }

  @Test
  void workerOfTheSameIdTakesThePlaceAndTheOtherOneIsToldWho() throws InterruptedException {
    Heard first = join(hello("a", ClusterProtocol.VERSION));
    first.next();
    Heard second = join(hello("a", ClusterProtocol.VERSION));
    assertThat(second.next().hasWelcome()).isTrue();
    assertThat(first.next().getRefusal().getReason())
        .contains("worker a (10.0.0.7:7001", "joined under its id", "--id");
    assertThat(first.end()).isEqualTo("completed");
    assertThat(losses.poll(60, TimeUnit.SECONDS)).startsWith("a: ");
    assertThat(membership.members()).hasSize(1);
  }

  /** On two threads of its own: the server of a test may have but one event loop. */
  @Test
  void ofTwoWorkersOfOneIdThatJoinTogetherOneIsToldOfTheOther() throws Exception {
    CountDownLatch firstJoins = new CountDownLatch(1);
    MembershipService service =
        new MembershipService(
            new Membership(
                Duration.ofSeconds(30),
                () -> {
                  firstJoins.countDown();
                  LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(200));
                  return System.nanoTime();
                }));
    JoinRequest hello =
        JoinRequest.newBuilder().setHello(hello("a", ClusterProtocol.VERSION)).build();
    Heard first = new Heard();
    Thread joining = Thread.ofPlatform().start(() -> service.join(first).onNext(hello));
    assertThat(firstJoins.await(60, TimeUnit.SECONDS)).isTrue();
    Heard second = new Heard();
    service.join(second).onNext(hello);
    joining.join();
    assertThat(second.next().hasWelcome()).isTrue();
    assertThat(first.next().hasWelcome()).isTrue();
    assertThat(first.next().getRefusal().getReason()).contains("joined under its id");
    assertThat(first.end()).isEqualTo("completed");
  }

  @Test
  void silentWorkerIsToldThatItMayJoinAgain() throws InterruptedException {
    Heard heard = join(hello("a", ClusterProtocol.VERSION));
    heard.next();
    assertThat(heard.end()).isEqualTo(Status.Code.ABORTED.toString());
    assertThat(join(hello("a", ClusterProtocol.VERSION)).next().hasWelcome()).isTrue();
  }

  @Test
  void epochOfAWorkerIsRemembered() throws InterruptedException {
    join(hello("a", ClusterProtocol.VERSION).toBuilder().setLastEpoch(7).build()).next();
    assertThat(membership.latestEpoch()).isEqualTo(7);
  }

  @Test
  void emptyMessageIsAnError() throws InterruptedException {
    Heard heard = new Heard();
    heard.requests = MembershipServiceGrpc.newStub(channel).join(heard);
    heard.requests().onNext(JoinRequest.getDefaultInstance());
    assertThat(heard.end()).isEqualTo(Status.Code.INVALID_ARGUMENT.toString());
  }

  @Test
  void secondHelloOnOneStreamDoesNotMakeASecondMember() throws InterruptedException {
    Heard heard = join(hello("a", ClusterProtocol.VERSION));
    heard.next();
    heard.requests().onNext(JoinRequest.newBuilder().setHello(hello("b", 1)).build());
    heard.requests().onCompleted();
    assertThat(heard.end()).isNotEmpty();
    assertThat(losses.poll(60, TimeUnit.SECONDS)).startsWith("a: ");
    assertThat(membership.members()).isEmpty();
  }

  @Test
  void renewalBeforeTheHelloIsHarmless() throws InterruptedException {
    Heard heard = new Heard();
    heard.requests = MembershipServiceGrpc.newStub(channel).join(heard);
    heard.requests().onNext(renewal());
    heard
        .requests()
        .onNext(JoinRequest.newBuilder().setHello(hello("a", ClusterProtocol.VERSION)).build());
    assertThat(heard.next().hasWelcome()).isTrue();
  }

  @Test
  void silentWorkerIsLostAfterItsLease() throws InterruptedException {
    join(hello("a", ClusterProtocol.VERSION)).next();
    assertThat(losses.poll(60, TimeUnit.SECONDS)).contains("a: it was silent for more than 600 ms");
    assertThat(membership.members()).isEmpty();
  }

  @Test
  void brokenConnectionIsNoticedAtOnce() throws InterruptedException {
    join(hello("a", ClusterProtocol.VERSION)).next();
    channel.shutdownNow();
    assertThat(losses.poll(60, TimeUnit.SECONDS)).contains("a: its connection broke");
  }

  @Test
  void closingTheServerEndsTheMembershipInOrder() throws InterruptedException {
    Heard heard = join(hello("a", ClusterProtocol.VERSION));
    heard.next();
    server.close();
    assertThat(heard.end()).isEqualTo("completed");
  }

  private Heard join(WorkerHello hello) {
    Heard heard = new Heard();
    heard.requests = MembershipServiceGrpc.newStub(channel).join(heard);
    heard.requests().onNext(JoinRequest.newBuilder().setHello(hello).build());
    return heard;
  }

  private static WorkerHello hello(String id, int version) {
    return WorkerHello.newBuilder()
        .setProtocolVersion(version)
        .setWorkerId(id)
        .setHost("10.0.0.7")
        .setPort(7001)
        .setProcessors(4)
        .setMemoryBytes(1L << 33)
        .setProcessId(42)
        .build();
  }

  private static JoinRequest renewal() {
    return JoinRequest.newBuilder().setRenewal(LeaseRenewal.getDefaultInstance()).build();
  }

  /** What a worker hears on its stream. */
  private static final class Heard implements StreamObserver<JoinResponse> {
    private final BlockingQueue<JoinResponse> responses = new LinkedBlockingQueue<>();
    private final BlockingQueue<String> ends = new LinkedBlockingQueue<>();
    private @Nullable StreamObserver<JoinRequest> requests;

    StreamObserver<JoinRequest> requests() {
      return Objects.requireNonNull(requests, "the stream is not open");
    }

    JoinResponse next() throws InterruptedException {
      JoinResponse response = responses.poll(60, TimeUnit.SECONDS);
      assertThat(response).as("a response").isNotNull();
      return response;
    }

    String end() throws InterruptedException {
      String end = ends.poll(60, TimeUnit.SECONDS);
      assertThat(end).as("the end of the stream").isNotNull();
      return end;
    }

    @Override
    public void onNext(JoinResponse response) {
      responses.add(response);
    }

    @Override
    public void onError(Throwable error) {
      ends.add(Status.fromThrowable(error).getCode().toString());
    }

    @Override
    public void onCompleted() {
      ends.add("completed");
    }
  }
}
