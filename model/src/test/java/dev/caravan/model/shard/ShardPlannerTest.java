package dev.caravan.model.shard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.model.checkpoint.DType;
import dev.caravan.model.checkpoint.WeightName;
import dev.caravan.model.checkpoint.WeightName.Kind;
import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.util.List;
import java.util.stream.IntStream;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;

class ShardPlannerTest {

  private static List<Integer> headShares(ShardPlan plan) {
    return IntStream.range(0, plan.ranks())
        .map(r -> plan.shard(0, r).heads().size())
        .boxed()
        .toList();
  }

  private static void assertUnplaceable(Runnable plan, String... parts) {
    assertThatThrownBy(plan::run)
        .asInstanceOf(InstanceOfAssertFactories.type(ClusterException.class))
        .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.UNPLACEABLE))
        .satisfies(e -> assertThat(e).hasMessageContainingAll(parts));
  }

  @Test
  void handsOutKvHeadsInUnevenRuns() {
    LlamaConfig config = Geometries.config(640, 1792, 4, 20, 5, 32, 1000);
    ShardPlan plan = ShardPlanner.plan(config, WeightTypes.uniform(config, DType.F16), 1, 3);
    assertThat(IntStream.range(0, 3).mapToObj(r -> plan.shard(0, r).kvHeads().size()))
        .containsExactly(2, 2, 1);
    assertThat(headShares(plan)).containsExactly(8, 8, 4);
    assertThat(plan.shard(0, 2).ffnColumns().size())
        .as("the rank with fewer heads gets more columns")
        .isGreaterThan(plan.shard(0, 0).ffnColumns().size());
  }

  @Test
  void splitsQueryHeadsWhereRanksAreMoreThanKvHeads() {
    LlamaConfig config = Geometries.published("llama-3.1-70b");
    WeightTypes types = WeightTypes.uniform(config, DType.Q4_0);
    ShardPlan twelve = ShardPlanner.plan(config, types, 1, 12);
    assertThat(headShares(twelve)).containsExactly(6, 6, 6, 6, 5, 5, 5, 5, 5, 5, 5, 5);
    assertThat(twelve.shard(0, 1).heads()).isEqualTo(new IntRange(6, 12));
    assertThat(twelve.shard(0, 1).kvHeads()).isEqualTo(new IntRange(0, 2));
    ShardPlan sixteen = ShardPlanner.plan(config, types, 1, 16);
    assertThat(headShares(sixteen)).containsOnly(4);
    assertThat(sixteen.shard(0, 15).kvHeads()).isEqualTo(new IntRange(7, 8));
  }

  @Test
  void leavesKvBordersWhereBlocksAllowNothingElse() {
    // Q4_0 blocks hold two heads and a group has three: borders of both exist only every six heads.
    LlamaConfig config = Geometries.config(192, 512, 2, 12, 4, 16, 100);
    ShardPlan plan = ShardPlanner.plan(config, WeightTypes.uniform(config, DType.Q4_0), 1, 3);
    assertThat(headShares(plan)).containsExactly(4, 4, 4);
    assertThat(plan.shard(0, 1).kvHeads()).isEqualTo(new IntRange(1, 3));
  }

  @Test
  void namesTheTensorAndTheCountsThatWork() {
    LlamaConfig config = Geometries.config(64, 192, 5, 8, 4, 8, 512);
    WeightTypes types =
        WeightTypes.uniform(config, DType.F32)
            .with(WeightName.of(Kind.ATTENTION_OUTPUT, 3), DType.Q4_0);
    assertUnplaceable(
        () -> ShardPlanner.plan(config, types, 1, 3),
        "ATTENTION_OUTPUT of layer 3: 64 columns are 2 Q4_0 blocks of 32, too few for 3 ranks",
        "use 1 or 2 ranks");
    assertThat(ShardPlanner.maxRanks(config, types)).isEqualTo(2);
    assertThat(ShardPlanner.plan(config, types, 1, 2).ranks()).isEqualTo(2);
  }

  @Test
  void refusesWhatCannotBePlaced() {
    LlamaConfig config = Geometries.published("llama-3.2-3b");
    WeightTypes types = WeightTypes.uniform(config, DType.BF16);
    assertUnplaceable(
        () -> ShardPlanner.plan(config, types, 1, 25), "24 heads", "25 ranks", "use 1-24 ranks");
    assertUnplaceable(
        () -> ShardPlanner.plan(config, types, 29, 1), "28 layers", "29 stages", "1-28 stages");
    assertUnplaceable(
        () -> ShardPlanner.plan(config, types, 2, WorkerCapacity.equal(5)),
        "5 workers",
        "2 stages");
    assertUnplaceable(() -> ShardPlanner.plan(config, types, 0, 1), "0 stages");
    assertUnplaceable(() -> ShardPlanner.plan(config, types, 1, 0), "0 ranks");
    LlamaConfig narrow = Geometries.config(64, 512, 2, 8, 8, 8, 100);
    assertUnplaceable(
        () -> ShardPlanner.plan(narrow, WeightTypes.uniform(narrow, DType.Q4_K), 1, 1),
        "64 columns are not whole Q4_K blocks of 256");
    LlamaConfig wide = Geometries.config(256, 512, 2, 8, 8, 32, 100);
    WeightTypes coarse =
        WeightTypes.uniform(wide, DType.F32).with(WeightName.of(Kind.FFN_DOWN, 1), DType.Q6_K);
    assertUnplaceable(
        () -> ShardPlanner.plan(wide, coarse, 1, 4), "FFN_DOWN of layer 1", "2 Q6_K blocks of 256");
  }

  @Test
  void keepsWholeBlocksOfTheCoarsestLayer() {
    LlamaConfig config = Geometries.published("llama-3.1-8b");
    WeightTypes types =
        WeightTypes.uniform(config, DType.Q8_0)
            .with(WeightName.of(Kind.ATTENTION_OUTPUT, 7), DType.Q4_K)
            .with(WeightName.of(Kind.FFN_DOWN, 9), DType.Q6_K);
    ShardPlan plan = ShardPlanner.plan(config, types, 1, 5);
    for (Shard shard : plan.shards()) {
      assertThat(shard.heads().start() * config.headDim() % 256).isZero();
      assertThat(shard.ffnColumns().start() % 256).isZero();
    }
  }

  @Test
  void givesTheStageWithTheHeadFewerLayers() {
    LlamaConfig config = Geometries.published("llama-3.2-1b");
    WeightTypes types = WeightTypes.uniform(config, DType.F16);
    ShardPlan plan = ShardPlanner.plan(config, types, 2, 1);
    assertThat(plan.shard(1, 0).layers().size()).isLessThan(plan.shard(0, 0).layers().size());
    long first = ShardSizes.of(config, types, plan.shard(0, 0)).weightBytes();
    long last = ShardSizes.of(config, types, plan.shard(1, 0)).weightBytes();
    long layer = ShardSizes.of(config, types, plan.shard(0, 0)).blockBytes() / 10;
    assertThat(Math.abs(first - last)).isLessThan(layer);
    assertThat(plan.shard(0, 0).vocabRows().isEmpty()).isTrue();
  }

  @Test
  void followsUnequalCapacities() {
    LlamaConfig config = Geometries.published("llama-3.1-8b");
    WeightTypes types = WeightTypes.uniform(config, DType.Q4_0);
    List<WorkerCapacity> workers =
        List.of(new WorkerCapacity(100), new WorkerCapacity(50), new WorkerCapacity(50));
    ShardPlan plan = ShardPlanner.plan(config, types, 1, workers);
    double all =
        ShardSizes.of(config, types, ShardPlanner.plan(config, types, 1, 1).shard(0, 0))
            .weightBytes();
    assertThat(ShardSizes.of(config, types, plan.shard(0, 0)).weightBytes() / all)
        .isBetween(0.495, 0.505);
    assertThat(ShardSizes.of(config, types, plan.shard(0, 2)).weightBytes() / all)
        .isBetween(0.245, 0.255);
  }

  @Test
  void measuresShards() {
    LlamaConfig config = Geometries.config(64, 96, 2, 4, 2, 16, 100);
    WeightTypes types = WeightTypes.uniform(config, DType.F32);
    ShardSizes sizes =
        ShardSizes.of(config, types, ShardPlanner.plan(config, types, 1, 1).shard(0, 0));
    long perLayer = 64 * 64 + 2 * 32 * 64 + 64 * 64 + 3 * 64 * 96 + 2 * 64;
    assertThat(sizes.blockBytes()).isEqualTo(2 * perLayer * 4);
    assertThat(sizes.headBytes()).isEqualTo((100 * 64 + 64) * 4);
    assertThat(sizes.embeddingBytes()).isEqualTo(100 * 64 * 4);
    assertThat(sizes.kvElementsPerPosition()).isEqualTo(2 * 2 * 32);
    assertThat(ShardSizes.directBytesSent(4, 1000)).isEqualTo(3000);
    assertThat(ShardSizes.scatterBytesSent(4, 1000)).isEqualTo(1500);
  }

  @Test
  void knowsHowEveryWeightIsCut() {
    assertThat(Partition.of(Kind.QUERY)).isEqualTo(Partition.COLUMN_PARALLEL);
    assertThat(Partition.of(Kind.FFN_DOWN)).isEqualTo(Partition.ROW_PARALLEL);
    assertThat(Partition.of(Kind.OUTPUT)).isEqualTo(Partition.VOCAB_PARALLEL);
    assertThat(Partition.of(Kind.FINAL_NORM)).isEqualTo(Partition.REPLICATED);
  }
}
