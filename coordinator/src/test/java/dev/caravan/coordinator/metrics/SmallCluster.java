package dev.caravan.coordinator.metrics;

import dev.caravan.coordinator.cluster.Member;
import dev.caravan.coordinator.rpc.Cluster.WorkerMemory;
import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.config.RopeScaling;
import dev.caravan.model.shard.IntRange;
import dev.caravan.model.shard.Shard;
import dev.caravan.model.shard.ShardPlan;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** A cluster of made-up workers, as operators see it. */
public final class SmallCluster {
  private SmallCluster() {}

  /** Returns stages x ranks workers, each with one head, local-0 on port 4000. */
  public static ServedCluster of(int stages, int ranks, boolean chat, Predicate<Member> up) {
    LlamaConfig config =
        new LlamaConfig(
            64,
            96,
            2 * stages,
            ranks,
            ranks,
            16,
            100,
            256,
            1e-5f,
            1e4,
            new RopeScaling.None(),
            true);
    List<Shard> shards = new ArrayList<>();
    List<WorkerMemory> workers = new ArrayList<>();
    for (int stage = 0; stage < stages; stage++) {
      for (int rank = 0; rank < ranks; rank++) {
        int index = workers.size();
        IntRange head = new IntRange(rank, rank + 1);
        IntRange columns = new IntRange(rank * 96 / ranks, (rank + 1) * 96 / ranks);
        IntRange rows =
            stage == stages - 1
                ? new IntRange(rank * 100 / ranks, (rank + 1) * 100 / ranks)
                : new IntRange(0, 0);
        IntRange layers = new IntRange(2 * stage, 2 * stage + 2);
        shards.add(new Shard(stage, rank, layers, head, head, columns, rows));
        Member member = new Member("local-" + index, "127.0.0.1", 4000 + index, 1, 1L << 30, 1);
        workers.add(new WorkerMemory(member, 1000 + index, 500));
      }
    }
    ShardPlan plan = new ShardPlan(stages, ranks, shards);
    return new ServedCluster("tiny", chat, config, 256, plan, () -> workers, up);
  }
}
