package dev.caravan.worker.collective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.proto.wire.ExchangeFrame;
import dev.caravan.proto.wire.ExchangeHeader;
import dev.caravan.proto.wire.ExchangeHeader.Kind;
import dev.caravan.proto.wire.PayloadType;
import dev.caravan.worker.tensor.Activations;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class PeerExchangeTest {
  private static final long SECOND_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final ExchangeSettings SETTINGS = new ExchangeSettings(5, PayloadType.F32, 200);

  private final InProcessPeerChannel.Pair pair =
      InProcessPeerChannel.connect(new PeerId(0, 0, "first:1"), new PeerId(0, 1, "second:2"));

  private Collective first() {
    return CollectiveAlgorithm.DIRECT.over(
        new PeerGroup(SETTINGS, 0, 0, List.of(pair.toSecond())), AllReduceRule.UNMEASURED);
  }

  private ClusterException failure(long step, int op) {
    try (Arena arena = Arena.ofConfined()) {
      Activations x = Ranks.partial(arena, 0, 1, 40);
      return catchThrowableOfType(
          ClusterException.class, () -> first().allReduceSum(step, op, x, 1));
    }
  }

  private void sendFromSecond(int epoch, long step, int op, float value) {
    ExchangeHeader header =
        new ExchangeHeader(Kind.DIRECT, PayloadType.F32, 0, 1, epoch, step, op, 0, 1, 40);
    try (Arena arena = Arena.ofConfined()) {
      Activations x = new Activations(arena, 1, 40);
      x.set(0, 0, value);
      ExchangeFrame frame = new ExchangeFrame(0);
      frame.encode(header, PeerGroup.view(x, 0, 1));
      pair.toFirst().send(frame, SECOND_NANOS);
    }
  }

  @Test
  void reportsALatePeerInTime() {
    long start = System.nanoTime();
    ClusterException late = failure(17, 3);
    long millis = (System.nanoTime() - start) / 1_000_000;
    assertThat(millis).isBetween(200L, 1500L);
    assertThat(late.code()).isEqualTo(ErrorCode.WORKER_LOST);
    assertThat(late)
        .hasMessageContainingAll("stage 0 rank 1", "second:2", "step 17", "op 3", "within 20");
  }

  @Test
  void reportsABrokenPeerAtOnce() {
    pair.toFirst().close();
    long start = System.nanoTime();
    ClusterException broken = failure(17, 3);
    assertThat((System.nanoTime() - start) / 1_000_000).isLessThan(150);
    assertThat(broken.code()).isEqualTo(ErrorCode.WORKER_LOST);
    assertThat(broken).hasMessageContainingAll("stage 0 rank 1", "second:2", "step 17", "op 3");
  }

  @Test
  void wakesAWaiterWhenTheChannelCloses() throws Exception {
    long start = System.nanoTime();
    ExchangeSettings patient = new ExchangeSettings(5, PayloadType.F32, 30_000);
    PeerStageLink link = new PeerStageLink(patient, 1, 0, pair.toSecond(), null);
    Ranks.runAll(
        2,
        rank -> {
          if (rank == 1) {
            pair.toSecond().close();
            return;
          }
          try (Arena arena = Arena.ofConfined()) {
            Activations x = new Activations(arena, 1, 40);
            ClusterException closed =
                catchThrowableOfType(ClusterException.class, () -> link.receive(1, x, 1));
            assertThat(closed.code()).isEqualTo(ErrorCode.WORKER_LOST);
          }
        });
    assertThat((System.nanoTime() - start) / 1_000_000).isLessThan(10_000);
  }

  @Test
  void dropsFramesOfEarlierEpochs() {
    sendFromSecond(3, 99, 0, 1000);
    sendFromSecond(4, 1, 0, 1000);
    sendFromSecond(5, 1, 0, 7);
    try (Arena arena = Arena.ofConfined()) {
      Activations x = new Activations(arena, 1, 40);
      x.set(0, 0, 1);
      first().allReduceSum(1, 0, x, 1);
      assertThat(x.get(0, 0)).isEqualTo(8);
    }
  }

  @Test
  void givesUpWhatAnEarlierStepLeftInFlight() {
    try (Arena arena = Arena.ofConfined()) {
      Activations x = new Activations(arena, 1, 40);
      Activations y = new Activations(arena, 1, 40);
      Collective first = first();
      first.start(1, 0, x, 1);
      first.start(1, 1, x, 1);
      sendFromSecond(5, 2, 0, 7);
      y.set(0, 0, 1);
      first.allReduceSum(2, 0, y, 1);
      assertThat(y.get(0, 0)).isEqualTo(8);
    }
  }

  /** Else a rank that computes for long would find its peers late before it has waited at all. */
  @Test
  void onlyWaitingCountsAgainstTheDeadline() throws Exception {
    ExchangeSettings settings = new ExchangeSettings(5, PayloadType.F32, 1000);
    PeerGroup group = new PeerGroup(settings, 0, 0, List.of(pair.toSecond()));
    Thread[] waiter = new Thread[1];
    CountDownLatch computed = new CountDownLatch(1);
    Ranks.runAll(
        2,
        rank -> {
          if (rank == 1) {
            computed.await();
            Ranks.until(
                () -> waiter[0].getState() == Thread.State.TIMED_WAITING, Thread::onSpinWait);
            sendFromSecond(5, 1, 0, 7);
            return;
          }
          try (Arena arena = Arena.ofConfined()) {
            Activations x = new Activations(arena, 1, 40);
            Collective first = CollectiveAlgorithm.DIRECT.over(group, AllReduceRule.UNMEASURED);
            waiter[0] = Thread.currentThread();
            long start = System.nanoTime();
            first.start(1, 0, x, 1);
            while (System.nanoTime() - start < SECOND_NANOS) {
              first.progress();
            }
            computed.countDown();
            first.finish();
            assertThat(x.get(0, 0)).isEqualTo(7);
          }
        });
  }

  @Test
  void refusesFramesThatDoNotBelong() {
    sendFromSecond(5, 1, 4, 0);
    ClusterException other = failure(1, 3);
    assertThat(other.code()).isEqualTo(ErrorCode.INTERNAL);
    assertThat(other).hasMessageContainingAll("op=4", "op=3");
    sendFromSecond(6, 1, 3, 0);
    ClusterException newer = failure(1, 3);
    assertThat(newer.code()).isEqualTo(ErrorCode.STALE_EPOCH);
    assertThat(newer).hasMessageContainingAll("epoch 6", "5");
  }

  @Test
  void boundsWhatAPeerMaySendAhead() {
    for (int i = 0; i < 16; i++) {
      sendFromSecond(5, 1, i, 0);
    }
    ExchangeFrame frame = new ExchangeFrame(0);
    frame.start(ExchangeHeader.hello(0, 1, 5));
    ClusterException full =
        catchThrowableOfType(
            ClusterException.class, () -> pair.toFirst().send(frame, SECOND_NANOS / 20));
    assertThat(full.code()).isEqualTo(ErrorCode.WORKER_LOST);
    assertThat(full).hasMessageContaining("16 frames");
  }

  @Test
  void handsHiddenStatesOver() {
    for (PayloadType payload : PayloadType.values()) {
      ExchangeSettings settings = new ExchangeSettings(1, payload, 1000);
      InProcessPeerChannel.Pair stages =
          InProcessPeerChannel.connect(new PeerId(0, 2, "a"), new PeerId(1, 2, "b"));
      PeerStageLink sender = new PeerStageLink(settings, 0, 2, null, stages.toSecond());
      PeerStageLink receiver = new PeerStageLink(settings, 1, 2, stages.toFirst(), null);
      try (Arena arena = Arena.ofConfined()) {
        Activations x = Ranks.partial(arena, 0, 200, 6000);
        Activations y = new Activations(arena, 200, 6000);
        sender.send(8, x, 200);
        receiver.receive(8, y, 200);
        assertThat(sender.bytesSent()).isGreaterThan(200 * 6000);
        if (payload == PayloadType.F32) {
          assertThat(Ranks.values(y, 200)).isEqualTo(Ranks.values(x, 200));
        } else {
          assertThat(y.get(199, 5999)).isNotZero();
        }
      }
    }
  }
}
