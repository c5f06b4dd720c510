package dev.caravan.worker.collective;

import dev.caravan.proto.wire.PayloadType;
import dev.caravan.worker.collective.AllReduceRule.Cost;
import dev.caravan.worker.tensor.Activations;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Measures both ways of an all-reduce between the ranks of a group, before the first step.
 *
 * <p>Rank 0 keeps the time and decides; the others learn each decision from the sum of an
 * all-reduce, to which only rank 0 adds anything. Whatever they measure, all ranks hence end with
 * the same rule. Confined to the step thread.
 */
public final class AllReduceProbe {
  private static final Logger LOG = LoggerFactory.getLogger(AllReduceProbe.class);

  /** Before the first step, whose number is 1. */
  private static final long STEP = 0;

  private static final int SMALL_COLUMNS = 2 << 10;
  private static final int LARGE_COLUMNS = 64 << 10;
  private static final int ROUNDS = 9;

  /** What is still interpreted would be measured as slow links. */
  private static final long WARM_UP_NANOS = TimeUnit.MILLISECONDS.toNanos(150);

  private static final long LIMIT_NANOS = TimeUnit.MILLISECONDS.toNanos(400);
  private static final float RULE_UNIT_BYTES = 1024;
  private static final int EXACT_FLOAT = 1 << 24;

  private final PeerGroup group;
  private final Collective direct;
  private final Collective scatter;
  private int op;

  public AllReduceProbe(PeerGroup group) {
    this.group = group;
    this.direct = CollectiveAlgorithm.DIRECT.over(group, AllReduceRule.UNMEASURED);
    this.scatter = CollectiveAlgorithm.SCATTER.over(group, AllReduceRule.UNMEASURED);
  }

  /**
   * Returns the rule for the group; all its ranks call this at the same time.
   *
   * <p>Two ranks need none. A lossy payload type keeps the fixed rule: its two ways round
   * differently, and what a model answers must not depend on how fast a link was at its load.
   *
   * @throws dev.caravan.model.error.ClusterException WORKER_LOST if a peer is lost
   */
  public AllReduceRule measure() {
    if (group.size() < 3 || group.settings().payload() != PayloadType.F32) {
      return AllReduceRule.UNMEASURED;
    }
    try (Arena arena = Arena.ofConfined()) {
      Activations small = new Activations(arena, 1, SMALL_COLUMNS);
      Activations large = new Activations(arena, 1, LARGE_COLUMNS);
      long start = System.nanoTime();
      do {
        time(direct, small);
        time(scatter, small);
      } while (agree(small, System.nanoTime() - start < WARM_UP_NANOS ? 1 : 0) > 0);
      long[][] nanos = new long[4][ROUNDS];
      int rounds = 0;
      do {
        nanos[0][rounds] = time(direct, small);
        nanos[1][rounds] = time(direct, large);
        nanos[2][rounds] = time(scatter, small);
        nanos[3][rounds] = time(scatter, large);
        rounds++;
      } while (rounds < ROUNDS
          && agree(small, System.nanoTime() - start < LIMIT_NANOS ? 1 : 0) > 0);
      return agree(small, cost(nanos[0], nanos[1], rounds), cost(nanos[2], nanos[3], rounds));
    }
  }

  private AllReduceRule agree(Activations x, Cost direct, Cost scatter) {
    long units = (long) (AllReduceRule.between(direct, scatter).directBytes() / RULE_UNIT_BYTES);
    float agreed = agree(x, Math.min(units, EXACT_FLOAT));
    AllReduceRule rule = new AllReduceRule((long) (agreed * RULE_UNIT_BYTES));
    if (group.rank() == 0) {
      LOG.info(
          "all-reduce over {} ranks: direct {}, scatter {}, direct up to {} bytes",
          group.size(),
          direct,
          scatter,
          rule.directBytes());
    }
    return rule;
  }

  /** Returns rank 0's value on all ranks. */
  private float agree(Activations x, float value) {
    x.set(0, 0, group.rank() == 0 ? value : 0);
    direct.allReduceSum(STEP, op++, x, 1);
    float agreed = x.get(0, 0);
    x.data().fill((byte) 0);
    return agreed;
  }

  private long time(Collective way, Activations x) {
    long start = System.nanoTime();
    way.allReduceSum(STEP, op++, x, 1);
    return System.nanoTime() - start;
  }

  private static Cost cost(long[] small, long[] large, int rounds) {
    return Cost.through(
        (long) SMALL_COLUMNS * Float.BYTES,
        median(small, rounds),
        (long) LARGE_COLUMNS * Float.BYTES,
        median(large, rounds));
  }

  private static long median(long[] nanos, int count) {
    long[] sorted = Arrays.copyOf(nanos, count);
    Arrays.sort(sorted);
    return sorted[count / 2];
  }
}
