package dev.caravan.coordinator.cli;

import dev.caravan.model.checkpoint.Checkpoint;
import dev.caravan.model.checkpoint.Checkpoints;
import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.shard.IntRange;
import dev.caravan.model.shard.Shard;
import dev.caravan.model.shard.ShardPlan;
import dev.caravan.model.shard.ShardPlanner;
import dev.caravan.model.shard.ShardSizes;
import dev.caravan.model.shard.WeightTypes;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Shows which part of a model would go to which worker. */
@Command(
    name = "plan",
    mixinStandardHelpOptions = true,
    description = "Shows the shard table of a model; starts no worker and loads nothing.")
final class PlanCommand implements Callable<Integer> {
  @Mixin private ModelOption model = new ModelOption();
  @Mixin private ClusterOptions cluster = new ClusterOptions();
  @Mixin private OutputOptions output = new OutputOptions();

  @Override
  public Integer call() {
    Output out = new Output();
    try (Checkpoint checkpoint = Checkpoints.open(model.model)) {
      LlamaConfig config = checkpoint.config();
      WeightTypes types = WeightTypes.of(checkpoint);
      cluster.check(config);
      ShardPlan plan = ShardPlanner.plan(config, types, cluster.stages, cluster.ranks());
      if (output.isJson()) {
        for (Shard shard : plan.shards()) {
          out.json(json(shard, ShardSizes.of(config, types, shard)));
        }
      } else {
        text(out, config, types, plan);
      }
    }
    return 0;
  }

  private void text(Output out, LlamaConfig config, WeightTypes types, ShardPlan plan) {
    Table table =
        new Table(
            "stage",
            "rank",
            "layers",
            "KV heads",
            "query heads",
            "FFN columns",
            "vocabulary",
            "weights",
            "KV cache");
    int context = cluster.context(config);
    for (Shard shard : plan.shards()) {
      ShardSizes sizes = ShardSizes.of(config, types, shard);
      table.row(
          shard.stage(),
          shard.rank(),
          shard.layers(),
          shard.kvHeads(),
          shard.heads(),
          shard.ffnColumns(),
          shard.vocabRows().isEmpty() ? "-" : shard.vocabRows(),
          Sizes.bytes(sizes.weightBytes()),
          Sizes.bytes(kvBytes(config, sizes) * context));
    }
    table.print(out);
    out.line("");
    out.line(
        "  weights: as stored in the checkpoint; KV cache: one sequence of %d positions in %s"
            .formatted(context, cluster.kv));
  }

  private long kvBytes(LlamaConfig config, ShardSizes sizes) {
    long heads = sizes.kvElementsPerPosition() / config.headDim();
    return heads * cluster.kv.bytes(config.headDim());
  }

  private static Map<String, Object> json(Shard shard, ShardSizes sizes) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("stage", shard.stage());
    line.put("rank", shard.rank());
    line.put("layers", range(shard.layers()));
    line.put("kv_heads", range(shard.kvHeads()));
    line.put("heads", range(shard.heads()));
    line.put("ffn_columns", range(shard.ffnColumns()));
    line.put("vocab_rows", range(shard.vocabRows()));
    line.put("weight_bytes", sizes.weightBytes());
    line.put("kv_elements_per_position", sizes.kvElementsPerPosition());
    return line;
  }

  private static int[] range(IntRange range) {
    return new int[] {range.start(), range.end()};
  }
}
