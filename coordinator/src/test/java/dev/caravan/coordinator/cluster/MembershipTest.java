package dev.caravan.coordinator.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class MembershipTest {
  private final AtomicLong nanos = new AtomicLong(1_000);
  private final Membership membership = new Membership(Duration.ofMillis(100), nanos::get);
  private final List<String> losses = new ArrayList<>();

  @BeforeEach
  void listen() {
    membership.onLoss((member, reason) -> losses.add(member.id() + ": " + reason));
  }

  @Test
  void membersAreListedInTheOrderInWhichTheyJoined() {
    membership.join(member("b", 2));
    membership.join(member("a", 1));
    assertThat(membership.members()).extracting(Member::id).containsExactly("b", "a");
  }

  @Test
  void workerThatIsBackTakesThePlaceOfTheOneOfItsId() {
    Member before = member("a", 7001);
    Member after = member("a", 7002);
    membership.join(before);
    membership.join(after);
    assertThat(membership.members()).containsExactly(after);
    assertThat(losses)
        .singleElement()
        .asString()
        .startsWith("a: worker a (127.0.0.1:7002")
        .endsWith("joined under its id");
    membership.leave(before, "its connection broke");
    assertThat(membership.members()).containsExactly(after);
    assertThat(losses).hasSize(1);
  }

  @Test
  void remembersTheLatestEpochThatAnyWorkerSaw() {
    assertThat(membership.latestEpoch()).isZero();
    membership.sawEpoch(4);
    membership.sawEpoch(2);
    assertThat(membership.latestEpoch()).isEqualTo(4);
  }

  @Test
  void leaseRunsOutOnlyAfterItsWholeLength() {
    membership.join(member("a", 1));
    passMillis(100);
    membership.expire();
    assertThat(losses).isEmpty();
    passMillis(1);
    membership.expire();
    assertThat(losses).containsExactly("a: it was silent for more than 100 ms");
    assertThat(membership.members()).isEmpty();
  }

  @Test
  void renewalStartsTheLeaseAgain() {
    Member a = member("a", 1);
    membership.join(a);
    membership.join(member("b", 2));
    passMillis(80);
    membership.renew(a);
    passMillis(80);
    membership.expire();
    assertThat(losses).singleElement().asString().startsWith("b: ");
    assertThat(membership.members()).containsExactly(a);
  }

  @Test
  void lostMemberStaysLostWhenItRenews() {
    Member a = member("a", 1);
    membership.join(a);
    passMillis(101);
    membership.expire();
    membership.renew(a);
    assertThat(membership.members()).isEmpty();
  }

  @Test
  void lossIsToldOnceEvenIfTheStreamEndsAfterTheLease() {
    Member a = member("a", 1);
    membership.join(a);
    passMillis(101);
    membership.expire();
    membership.leave(a, "its connection broke");
    assertThat(losses).hasSize(1);
  }

  @Test
  void lateEndOfAnOldStreamDoesNotEndTheNewMemberOfThatId() {
    Member before = member("a", 1);
    membership.join(before);
    passMillis(101);
    membership.expire();
    Member after = member("a", 2);
    membership.join(after);
    membership.leave(before, "its connection broke");
    assertThat(membership.members()).containsExactly(after);
    assertThat(losses).hasSize(1);
  }

  @Test
  void leavingTellsTheReason() {
    Member a = member("a", 1);
    membership.join(a);
    membership.leave(a, "it left");
    assertThat(losses).containsExactly("a: it left");
  }

  @Test
  void awaitMembersReturnsFalseWhenTheDeadlinePassed() throws InterruptedException {
    membership.join(member("a", 1));
    assertThat(membership.awaitMembers(1, nanos.get())).isTrue();
    assertThat(membership.awaitMembers(2, nanos.get())).isFalse();
  }

  @Test
  void awaitMembersWakesWhenTheLastOneJoins() throws InterruptedException {
    Thread joining = Thread.ofVirtual().start(() -> membership.join(member("a", 1)));
    assertThat(membership.awaitMembers(1, nanos.get() + Duration.ofSeconds(10).toNanos())).isTrue();
    joining.join();
  }

  private void passMillis(long millis) {
    nanos.addAndGet(Duration.ofMillis(millis).toNanos());
  }

  private static Member member(String id, int port) {
    return new Member(id, "127.0.0.1", port, 2, 1L << 30, 4711);
  }
}
