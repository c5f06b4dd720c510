package dev.caravan.model.shard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.model.checkpoint.DType;
import dev.caravan.model.checkpoint.WeightName;
import dev.caravan.model.checkpoint.WeightName.Kind;
import dev.caravan.model.config.LlamaConfig;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

/** Whatever the model and the workers: everything is held, once, in whole blocks, evenly. */
class ShardPlannerProperties {

  @Provide
  Arbitrary<LlamaConfig> geometries() {
    return Combinators.combine(
            Arbitraries.integers().between(1, 8), // 256s of hidden size
            Arbitraries.integers().between(1, 40), // 256s of intermediate size
            Arbitraries.integers().between(1, 20),
            Arbitraries.integers().between(1, 12),
            Arbitraries.integers().between(1, 8),
            Arbitraries.of(32, 64, 96, 128),
            Arbitraries.integers().between(1, 3000))
        .as((hidden, ffn, layers, kvHeads, group, headDim, vocab) ->
            // Eight times the KV heads keep 256-blocks whole for every head size.
            Geometries.config(
                hidden * 256, ffn * 256, layers, 8 * kvHeads * group, 8 * kvHeads, headDim, vocab));
  }

  @Property(tries = 300)
  void coversEverythingOnceInWholeBlocks(
      @ForAll("geometries") LlamaConfig config,
      @ForAll DType matrices,
      @ForAll DType down,
      @ForAll @IntRange(min = 1, max = 4) int stages,
      @ForAll @Size(min = 1, max = 16) List<@DoubleRange(min = 0.5, max = 9) Double> weights) {
    WeightTypes types =
        WeightTypes.uniform(config, matrices)
            .with(WeightName.of(Kind.FFN_DOWN, config.layers() - 1), down);
    int grid = Math.min(stages, config.layers());
    int ranks = Math.min(weights.size(), ShardPlanner.maxRanks(config, types));
    List<WorkerCapacity> workers =
        IntStream.range(0, grid * ranks)
            .mapToObj(i -> new WorkerCapacity(weights.get(i % weights.size())))
            .toList();
    checkCoverage(config, types, ShardPlanner.plan(config, types, grid, workers));
  }

  @Example
  void placesEveryPublishedModelOnOneToSixteenRanks() {
    Geometries.published()
        .forEach((name, config) -> {
          for (DType dtype : List.of(DType.BF16, DType.Q8_0, DType.Q4_0)) {
            WeightTypes types = WeightTypes.uniform(config, dtype);
            for (int ranks = 1; ranks <= 16; ranks++) {
              ShardPlan plan = ShardPlanner.plan(config, types, 1, ranks);
              checkCoverage(config, types, plan);
              double[] bytes = rankBytes(config, types, plan, 0);
              double mean = Arrays.stream(bytes).average().orElseThrow();
              assertThat(DoubleStream.of(bytes).max().orElseThrow() / mean)
                  .as("%s %s over %d ranks", name, dtype, ranks)
                  .isLessThan(1.04);
            }
          }
        });
  }

  @Property(tries = 300)
  void balancesEqualRanksToOneUnitOfFfn(
      @ForAll("geometries") LlamaConfig config,
      @ForAll DType matrices,
      @ForAll @IntRange(min = 1, max = 16) int wanted) {
    WeightTypes types = WeightTypes.uniform(config, matrices);
    int ranks = Math.min(wanted, ShardPlanner.maxRanks(config, types));
    ShardPlan plan = ShardPlanner.plan(config, types, 1, ranks);
    double[] bytes = rankBytes(config, types, plan, 0);
    double mean = Arrays.stream(bytes).average().orElseThrow();
    int unit = Math.max(32, matrices.blockElements());
    double unitBytes = (double) config.layers() * ShardSizes.ffnBytes(config, types, 0, unit);
    for (int rank = 0; rank < ranks; rank++) {
      Shard shard = plan.shard(0, rank);
      boolean least = shard.ffnColumns().size() <= unit;
      if (!least) {
        assertThat(bytes[rank]).as("bytes of rank %d", rank).isLessThan(mean + unitBytes + 1);
      }
    }
  }

  private static double[] rankBytes(
      LlamaConfig config, WeightTypes types, ShardPlan plan, int stage) {
    return IntStream.range(0, plan.ranks())
        .mapToDouble(rank -> ShardSizes.of(config, types, plan.shard(stage, rank)).blockBytes())
        .toArray();
  }

  private static void checkCoverage(LlamaConfig config, WeightTypes types, ShardPlan plan) {
    int layersSeen = 0;
    for (int stage = 0; stage < plan.stages(); stage++) {
      assertThat(plan.shard(stage, 0).layers().start()).isEqualTo(layersSeen);
      assertThat(plan.shard(stage, 0).layers().isEmpty()).isFalse();
      layersSeen = plan.shard(stage, 0).layers().end();
      boolean last = stage == plan.stages() - 1;
      checkRuns(plan, stage, Shard::heads, config.heads(), true);
      checkRuns(plan, stage, Shard::ffnColumns, config.intermediateSize(), true);
      checkRuns(
          plan,
          stage,
          Shard::vocabRows,
          last ? config.vocabSize() : 0,
          last && config.vocabSize() >= plan.ranks());
    }
    assertThat(layersSeen).isEqualTo(config.layers());
    for (Shard shard : plan.shards()) {
      assertThat(shard.layers()).isEqualTo(plan.shard(shard.stage(), 0).layers());
      checkKvHeads(config, shard);
      checkBlocks(config, types, shard);
    }
  }

  private static void checkRuns(
      ShardPlan plan,
      int stage,
      Function<Shard, dev.caravan.model.shard.IntRange> runOf,
      int total,
      boolean allHold) {
    int seen = 0;
    for (int rank = 0; rank < plan.ranks(); rank++) {
      dev.caravan.model.shard.IntRange run = runOf.apply(plan.shard(stage, rank));
      assertThat(run.isEmpty() || run.start() == seen).as("%s after %d", run, seen).isTrue();
      assertThat(run.isEmpty() && allHold).as("rank %d holds nothing", rank).isFalse();
      seen += run.size();
    }
    assertThat(seen).isEqualTo(total);
  }

  private static void checkKvHeads(LlamaConfig config, Shard shard) {
    int group = config.headsPerKvHead();
    assertThat(shard.kvHeads().start()).isEqualTo(shard.heads().start() / group);
    assertThat(shard.kvHeads().end()).isEqualTo((shard.heads().end() - 1) / group + 1);
  }

  private static void checkBlocks(LlamaConfig config, WeightTypes types, Shard shard) {
    for (int layer = 0; layer < config.layers(); layer++) {
      DType output = types.type(WeightName.of(Kind.ATTENTION_OUTPUT, layer));
      DType down = types.type(WeightName.of(Kind.FFN_DOWN, layer));
      assertThat(shard.heads().start() * config.headDim() % output.blockElements()).isZero();
      assertThat(shard.heads().size() * config.headDim() % output.blockElements()).isZero();
      assertThat(shard.ffnColumns().start() % down.blockElements()).isZero();
      assertThat(shard.ffnColumns().size() % down.blockElements()).isZero();
    }
  }
}
