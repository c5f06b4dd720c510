package dev.caravan.coordinator.metrics;

import dev.caravan.coordinator.cluster.Member;
import dev.caravan.coordinator.rpc.Cluster.WorkerMemory;
import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.shard.ShardPlan;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * A loaded cluster as its operators see it.
 *
 * @param model name that clients use
 * @param chat whether the model has a chat template
 * @param contextLength most positions of one sequence
 * @param holders those that hold the shards now, in the plan's order; thread-safe
 * @param up whether a worker is still a member; thread-safe
 */
public record ServedCluster(
    String model,
    boolean chat,
    LlamaConfig config,
    int contextLength,
    ShardPlan plan,
    Supplier<List<WorkerMemory>> holders,
    Predicate<Member> up) {

  /** Those that hold the shards now, in the plan's order. */
  public List<WorkerMemory> workers() {
    return holders.get();
  }
}
