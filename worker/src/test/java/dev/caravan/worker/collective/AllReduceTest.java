package dev.caravan.worker.collective;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.proto.wire.PayloadType;
import dev.caravan.worker.collective.AllReduceRule.Cost;
import dev.caravan.worker.tensor.Activations;
import java.lang.foreign.Arena;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class AllReduceTest {
  private static final int DEADLINE_MILLIS = 20_000;

  private static ExchangeSettings settings(PayloadType payload) {
    return new ExchangeSettings(5, payload, DEADLINE_MILLIS);
  }

  /** Returns every rank's sums. */
  private static float[][] reduce(
      CollectiveAlgorithm algorithm, PayloadType payload, int ranks, int rows, int columns)
      throws Exception {
    List<PeerGroup> groups = InProcessPeerChannel.groups(settings(payload), 0, ranks);
    float[][] sums = new float[ranks][];
    Ranks.runAll(
        ranks,
        rank -> {
          try (Arena arena = Arena.ofConfined()) {
            Activations x = Ranks.partial(arena, rank, rows, columns);
            Collective collective = algorithm.over(groups.get(rank), AllReduceRule.UNMEASURED);
            assertThat(collective.size()).isEqualTo(ranks);
            assertThat(collective.rank()).isEqualTo(rank);
            collective.allReduceSum(1, 0, x, rows);
            sums[rank] = Ranks.values(x, rows);
          }
        });
    return sums;
  }

  private static float[] sumInRankOrder(int ranks, int rows, int columns) {
    try (Arena arena = Arena.ofConfined()) {
      float[] sum = Ranks.values(Ranks.partial(arena, 0, rows, columns), rows);
      for (int rank = 1; rank < ranks; rank++) {
        float[] partial = Ranks.values(Ranks.partial(arena, rank, rows, columns), rows);
        for (int i = 0; i < sum.length; i++) {
          sum[i] += partial[i];
        }
      }
      return sum;
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
  void sumsInRankOrderBitForBit(int ranks) throws Exception {
    for (int columns : new int[] {1, 33, 64, 257, 1024}) {
      float[] wanted = sumInRankOrder(ranks, 3, columns);
      for (CollectiveAlgorithm algorithm : CollectiveAlgorithm.values()) {
        for (float[] sums : reduce(algorithm, PayloadType.F32, ranks, 3, columns)) {
          assertThat(sums).as("%s over %d ranks", algorithm, ranks).isEqualTo(wanted);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(PayloadType.class)
  void givesEveryRankTheSameBits(PayloadType payload) throws Exception {
    for (int ranks = 2; ranks <= 8; ranks++) {
      float[] exact = sumInRankOrder(ranks, 2, 300);
      for (CollectiveAlgorithm algorithm : CollectiveAlgorithm.values()) {
        float[][] sums = reduce(algorithm, payload, ranks, 2, 300);
        for (float[] other : sums) {
          assertThat(other).as("%s %s over %d", algorithm, payload, ranks).isEqualTo(sums[0]);
        }
        assertThat(relativeError(sums[0], exact)).isLessThan(0.02);
      }
    }
  }

  private static double relativeError(float[] actual, float[] wanted) {
    double error = 0;
    double norm = 0;
    for (int i = 0; i < wanted.length; i++) {
      error += Math.pow(actual[i] - wanted[i], 2);
      norm += Math.pow(wanted[i], 2);
    }
    return Math.sqrt(error / norm);
  }

  @Test
  void splitsWideBatchesIntoSeveralFrames() throws Exception {
    int rows = 70; // of 64 KiB: more than one frame of 4 MiB
    int columns = 16384;
    float[] wanted = sumInRankOrder(3, rows, columns);
    for (CollectiveAlgorithm algorithm :
        List.of(CollectiveAlgorithm.DIRECT, CollectiveAlgorithm.SCATTER)) {
      for (float[] sums : reduce(algorithm, PayloadType.F32, 3, rows, columns)) {
        assertThat(sums).isEqualTo(wanted);
      }
    }
  }

  @Test
  void neverLetsARowsBitsDependOnItsBatch() throws Exception {
    for (PayloadType payload : PayloadType.values()) {
      int columns = 9000;
      float[] one = reduce(CollectiveAlgorithm.AUTO, payload, 4, 1, columns)[0];
      float[] many = reduce(CollectiveAlgorithm.AUTO, payload, 4, 9, columns)[0];
      assertThat(java.util.Arrays.copyOf(many, columns)).as("%s", payload).isEqualTo(one);
    }
  }

  @Test
  void picksTheWayBySizeAndInLossyTypesByWidthAlone() {
    AllReduceRule rule = AllReduceRule.UNMEASURED;
    assertThat(rule.isDirect(PayloadType.F32, 8192, 1)).isTrue();
    assertThat(rule.isDirect(PayloadType.F32, 8192, 2)).isFalse();
    assertThat(rule.isDirect(PayloadType.BF16, 8192, 512)).isTrue();
    assertThat(rule.isDirect(PayloadType.BF16, 32768, 1)).isFalse();
  }

  @Test
  void goesDirectlyUpToWhereTheLinesOfCostCross() {
    Cost direct = new Cost(100_000, 3);
    assertThat(AllReduceRule.between(direct, new Cost(190_000, 1)))
        .isEqualTo(new AllReduceRule(45_000));
    assertThat(AllReduceRule.between(direct, new Cost(90_000, 1)))
        .as("cheaper from the first byte")
        .isEqualTo(new AllReduceRule(0));
    assertThat(AllReduceRule.between(direct, new Cost(190_000, 3)))
        .as("never cheaper")
        .isEqualTo(AllReduceRule.ALWAYS_DIRECT);
    assertThat(AllReduceRule.between(direct, new Cost(90_000, 4)))
        .as("contradicts itself: fewer hops cannot take longer")
        .isEqualTo(AllReduceRule.UNMEASURED);
    assertThat(Cost.through(1_000, 60_000, 11_000, 90_000)).isEqualTo(new Cost(57_000, 3));
  }

  @ParameterizedTest
  @ValueSource(ints = {3, 4, 8})
  void agreesOnOneMeasuredRule(int ranks) throws Exception {
    List<PeerGroup> groups = InProcessPeerChannel.groups(settings(PayloadType.F32), 0, ranks);
    AllReduceRule[] rules = new AllReduceRule[ranks];
    Ranks.runAll(ranks, rank -> rules[rank] = new AllReduceProbe(groups.get(rank)).measure());
    assertThat(rules).containsOnly(rules[0]);
    assertThat(groups.get(0).bytesSent()).as("it has measured").isPositive();
  }

  @Test
  void leavesTheRuleOfLossyTypesAndOfTwoRanksAlone() {
    // Nobody answers: a probe that measured would wait in vain.
    for (PeerGroup group :
        List.of(
            InProcessPeerChannel.groups(settings(PayloadType.Q8), 0, 4).get(0),
            InProcessPeerChannel.groups(settings(PayloadType.F32), 0, 2).get(0))) {
      assertThat(new AllReduceProbe(group).measure()).isEqualTo(AllReduceRule.UNMEASURED);
      assertThat(group.bytesSent()).isZero();
    }
  }

  @Test
  void countsTheBytesThatItSends() throws Exception {
    List<PeerGroup> groups = InProcessPeerChannel.groups(settings(PayloadType.F32), 0, 4);
    long[] sent = new long[4];
    Ranks.runAll(
        4,
        rank -> {
          try (Arena arena = Arena.ofConfined()) {
            Activations x = Ranks.partial(arena, rank, 1, 1024);
            Collective scatter =
                CollectiveAlgorithm.SCATTER.over(groups.get(rank), AllReduceRule.UNMEASURED);
            scatter.allReduceSum(1, 0, x, 1);
            sent[rank] = scatter.bytesSent();
          }
        });
    assertThat(sent).containsOnly(2 * 3 * (1024 + 48));
  }

  @Test
  void checksumsTellDifferentSumsApart() throws Exception {
    List<PeerGroup> groups = InProcessPeerChannel.groups(settings(PayloadType.Q8), 0, 3);
    long[][] checksums = new long[3][3];
    Ranks.runAll(
        3,
        rank -> {
          try (Arena arena = Arena.ofConfined()) {
            ChecksummingCollective checked =
                new ChecksummingCollective(
                    CollectiveAlgorithm.DIRECT.over(groups.get(rank), AllReduceRule.UNMEASURED));
            for (int step = 0; step < 3; step++) {
              Activations x = Ranks.partial(arena, rank, 2, 65);
              checked.allReduceSum(step, 0, x, 2);
              if (step == 1) {
                x.set(1, 64, x.get(1, 64) + 1);
              }
              checked.allReduceSum(step, 1, x, 2);
              checksums[step][rank] = checked.checksum();
            }
          }
        });
    for (long[] step : checksums) {
      assertThat(step).containsOnly(step[0]);
    }
    assertThat(checksums[2][0]).as("starts anew with every step").isEqualTo(checksums[0][0]);
    assertThat(checksums[1][0]).isNotEqualTo(checksums[0][0]);
  }
}
