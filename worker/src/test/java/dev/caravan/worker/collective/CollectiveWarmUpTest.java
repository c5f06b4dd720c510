package dev.caravan.worker.collective;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.proto.wire.PayloadType;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CollectiveWarmUpTest {
  private static final int RANKS = 3;
  private static final int EPOCH = 1;

  @ParameterizedTest
  @EnumSource(PayloadType.class)
  void onlyRankZeroDecidesWhetherItIsWantedAndWhenItIsEnough(PayloadType payload) throws Exception {
    int[] rounds = run(payload, new boolean[] {true, false, false});
    assertThat(rounds).containsOnly(rounds[0]);
    assertThat(rounds[0]).as("half a second a look: bounded by the clock").isBetween(10, 20);
    assertThat(run(payload, new boolean[] {false, true, true})).containsOnly(1);
  }

  private static int[] run(PayloadType payload, boolean[] wanted) throws Exception {
    ExchangeSettings settings = new ExchangeSettings(EPOCH, payload, 30_000);
    List<PeerGroup> groups = InProcessPeerChannel.groups(settings, 0, RANKS);
    int[] rounds = new int[RANKS];
    Ranks.runAll(
        RANKS,
        rank -> {
          Collective collective =
              CollectiveAlgorithm.AUTO.over(groups.get(rank), AllReduceRule.UNMEASURED);
          // Only rank 0's time passes: the others follow it.
          LongSupplier clock = rank == 0 ? ticking() : () -> 0;
          rounds[rank] = new CollectiveWarmUp(collective, clock).run(wanted[rank]);
        });
    return rounds;
  }

  private static LongSupplier ticking() {
    AtomicLong nanos = new AtomicLong();
    return () -> nanos.getAndAdd(TimeUnit.MILLISECONDS.toNanos(500));
  }
}
