package dev.caravan.worker.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.proto.wire.PayloadType;
import dev.caravan.worker.collective.AllReduceRule;
import dev.caravan.worker.collective.Collective;
import dev.caravan.worker.collective.CollectiveAlgorithm;
import dev.caravan.worker.collective.ExchangeSettings;
import dev.caravan.worker.collective.Ranks;
import dev.caravan.worker.tensor.Activations;
import java.lang.foreign.Arena;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The links between ranks are measured over real streams before the first step. */
class MeasuredLinksTest {
  private static final int EPOCH = 3;
  private static final int RANKS = 4;
  private static final int COLUMNS = 20_000; // 80 kB: on either side of the rule

  private final ExchangeNodes exchange = new ExchangeNodes();

  @AfterEach
  void close() {
    exchange.close();
  }

  @Test
  void allRanksEndWithOneRuleAndTheFirstStepWorksWithIt() throws Exception {
    exchange.connect(EPOCH, 1, RANKS);
    ExchangeSettings settings = new ExchangeSettings(EPOCH, PayloadType.F32, 50_000);
    AllReduceRule[] rules = new AllReduceRule[RANKS];
    float[][] sums = new float[RANKS][];
    Ranks.runAll(
        RANKS,
        rank -> {
          ConnectedPeers peers = exchange.connected.get(rank);
          rules[rank] = peers.measure(settings);
          Collective collective = peers.collective(settings, CollectiveAlgorithm.AUTO, rules[rank]);
          try (Arena arena = Arena.ofConfined()) {
            Activations x = Ranks.partial(arena, rank, 1, COLUMNS);
            collective.allReduceSum(1, 0, x, 1);
            sums[rank] = Ranks.values(x, 1);
          }
        });
    assertThat(rules).containsOnly(rules[0]);
    assertThat(rules[0].directBytes()).isNotNegative();
    for (float[] sum : sums) {
      assertThat(sum).isEqualTo(expectedSum());
    }
  }

  @Test
  void rankThatDoesNotTakePartIsReportedByAllOthers() throws Exception {
    exchange.connect(EPOCH, 1, RANKS);
    ExchangeSettings hasty = new ExchangeSettings(EPOCH, PayloadType.F32, 300);
    ClusterException[] failures = new ClusterException[RANKS];
    Ranks.runAll(
        RANKS - 1,
        rank ->
            failures[rank] =
                catchThrowableOfType(
                    ClusterException.class, () -> exchange.connected.get(rank).measure(hasty)));
    for (int rank = 0; rank < RANKS - 1; rank++) {
      assertThat(failures[rank].code()).isEqualTo(ErrorCode.WORKER_LOST);
      assertThat(failures[rank]).hasMessageContainingAll("rank 3", "step 0", "op 0");
    }
  }

  private static float[] expectedSum() {
    float[] sum = new float[COLUMNS];
    try (Arena arena = Arena.ofConfined()) {
      for (int rank = 0; rank < RANKS; rank++) {
        Activations x = Ranks.partial(arena, rank, 1, COLUMNS);
        for (int i = 0; i < COLUMNS; i++) {
          sum[i] = rank == 0 ? x.get(0, i) : sum[i] + x.get(0, i);
        }
      }
    }
    return sum;
  }
}
