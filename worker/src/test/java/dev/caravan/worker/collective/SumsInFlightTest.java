package dev.caravan.worker.collective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.proto.wire.PayloadType;
import dev.caravan.worker.tensor.Activations;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Sums that are started before others are finished. */
@Timeout(60)
class SumsInFlightTest {
  private static final List<CollectiveAlgorithm> WAYS =
      List.of(CollectiveAlgorithm.DIRECT, CollectiveAlgorithm.SCATTER);

  /** What a rank does with two activations; its sums are what they then hold. */
  private interface Sums {
    void run(Collective collective, Activations x, Activations y);
  }

  private static Collective collective(CollectiveAlgorithm way, PeerGroup group) {
    return new ChecksummingCollective(way.over(group, AllReduceRule.UNMEASURED));
  }

  private static List<PeerGroup> groups(PayloadType payload, int ranks) {
    return InProcessPeerChannel.groups(new ExchangeSettings(5, payload, 20_000), 0, ranks);
  }

  /** Returns for each rank the values of x and of y. */
  private static float[][][] run(
      CollectiveAlgorithm way, List<PeerGroup> groups, int rows, int columns, Sums sums)
      throws Exception {
    float[][][] values = new float[groups.size()][][];
    Ranks.runAll(
        groups.size(),
        rank -> {
          try (Arena arena = Arena.ofConfined()) {
            Activations x = Ranks.partial(arena, rank, rows, columns);
            Activations y = Ranks.partial(arena, 10 + rank, rows, columns);
            sums.run(collective(way, groups.get(rank)), x, y);
            values[rank] = new float[][] {Ranks.values(x, rows), Ranks.values(y, rows)};
          }
        });
    return values;
  }

  private static void oneByOne(Collective collective, Activations x, Activations y) {
    collective.allReduceSum(1, 0, x, x.maxRows());
    collective.allReduceSum(1, 1, y, y.maxRows());
    collective.allReduceSum(1, 2, x, x.maxRows());
    collective.allReduceSum(1, 3, y, y.maxRows());
  }

  private static void overlapped(Collective collective, Activations x, Activations y) {
    collective.start(1, 0, x, x.maxRows());
    collective.progress();
    collective.start(1, 1, y, y.maxRows());
    collective.finish();
    collective.start(1, 2, x, x.maxRows());
    collective.finish();
    collective.progress();
    collective.start(1, 3, y, y.maxRows());
    collective.finish();
    collective.finish();
  }

  @ParameterizedTest
  @EnumSource(PayloadType.class)
  void giveTheSameBitsAsOneAfterTheOther(PayloadType payload) throws Exception {
    for (int ranks = 2; ranks <= 4; ranks++) {
      for (CollectiveAlgorithm way : WAYS) {
        float[][][] wanted = run(way, groups(payload, ranks), 3, 300, SumsInFlightTest::oneByOne);
        float[][][] actual = run(way, groups(payload, ranks), 3, 300, SumsInFlightTest::overlapped);
        assertThat(actual).as("%s %s over %d ranks", way, payload, ranks).isDeepEqualTo(wanted);
      }
    }
  }

  @Test
  void needNobodyWhoWaitsHoweverManyFrames() throws Exception {
    int ranks = 3;
    int rows = 70; // of 64 KiB: more than one frame of 4 MiB
    int columns = 16384;
    for (CollectiveAlgorithm way : WAYS) {
      float[][][] wanted =
          run(
              way,
              groups(PayloadType.F32, ranks),
              rows,
              columns,
              (collective, x, y) -> {
                collective.allReduceSum(1, 0, x, rows);
                collective.allReduceSum(1, 1, y, rows);
              });
      float lastOfX = wanted[0][0][rows * columns - 1];
      float lastOfY = wanted[0][1][rows * columns - 1];
      AtomicInteger there = new AtomicInteger();
      float[][][] actual =
          run(
              way,
              groups(PayloadType.F32, ranks),
              rows,
              columns,
              (collective, x, y) -> {
                collective.start(1, 0, x, rows);
                collective.start(1, 1, y, rows);
                Ranks.until(
                    () ->
                        x.get(rows - 1, columns - 1) == lastOfX
                            && y.get(rows - 1, columns - 1) == lastOfY,
                    collective::progress);
                there.incrementAndGet();
                Ranks.until(() -> there.get() == ranks, Thread::onSpinWait);
                collective.finish();
                collective.finish();
              });
      assertThat(actual).as("%s", way).isDeepEqualTo(wanted);
    }
  }

  @Test
  void reportALostPeerWhenTheyAreFinished() throws Exception {
    for (CollectiveAlgorithm way : WAYS) {
      InProcessPeerChannel.Pair pair =
          InProcessPeerChannel.connect(new PeerId(0, 0, "first:1"), new PeerId(0, 1, "second:2"));
      ExchangeSettings settings = new ExchangeSettings(5, PayloadType.F32, 20_000);
      PeerGroup group = new PeerGroup(settings, 0, 0, List.of(pair.toSecond()));
      try (Arena arena = Arena.ofConfined()) {
        Activations x = Ranks.partial(arena, 0, 1, 64);
        Activations y = Ranks.partial(arena, 0, 1, 64);
        Collective collective = collective(way, group);
        collective.start(17, 3, x, 1);
        pair.toFirst().close();
        collective.progress();
        collective.start(17, 4, y, 1);
        collective.progress();
        assertThatThrownBy(collective::finish)
            .isInstanceOfSatisfying(
                ClusterException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.WORKER_LOST))
            .hasMessageContainingAll("stage 0 rank 1", "second:2", "step 17", "op 3");
        assertThatThrownBy(collective::finish).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> collective.allReduceSum(18, 0, x, 1))
            .hasMessageContainingAll("second:2", "step 18", "op 0");
      }
    }
  }

  @Test
  void areWaitedForOneByOne() throws Exception {
    CountDownLatch firstFinished = new CountDownLatch(1);
    float[] wanted = {1 + 2, 10 + 20};
    List<PeerGroup> groups = groups(PayloadType.F32, 2);
    Ranks.runAll(
        2,
        rank -> {
          try (Arena arena = Arena.ofConfined()) {
            Activations x = new Activations(arena, 1, 1);
            Activations y = new Activations(arena, 1, 1);
            x.set(0, 0, 1 + rank);
            y.set(0, 0, 10 * (1 + rank));
            Collective collective = collective(WAYS.getFirst(), groups.get(rank));
            collective.start(1, 0, x, 1);
            if (rank == 0) {
              collective.start(1, 1, y, 1);
              Ranks.until(() -> x.get(0, 0) == wanted[0], collective::progress);
              collective.finish();
              firstFinished.countDown();
            } else {
              collective.finish();
              assertThat(firstFinished.await(15, TimeUnit.SECONDS)).isTrue();
              collective.start(1, 1, y, 1);
            }
            collective.finish();
            assertThat(new float[] {x.get(0, 0), y.get(0, 0)}).isEqualTo(wanted);
          }
        });
  }

  @Test
  void areTwoAtMost() {
    try (Arena arena = Arena.ofConfined()) {
      Activations x = Ranks.partial(arena, 0, 1, 64);
      Collective collective = collective(WAYS.getFirst(), groups(PayloadType.F32, 2).getFirst());
      assertThatThrownBy(collective::finish).isInstanceOf(IllegalStateException.class);
      collective.start(1, 0, x, 1);
      collective.start(1, 1, x, 1);
      assertThatThrownBy(() -> collective.start(1, 2, x, 1))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("op 2 of step 1: 2 are in flight");
    }
  }
}
