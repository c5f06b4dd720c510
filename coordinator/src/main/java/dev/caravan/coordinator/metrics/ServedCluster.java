package dev.caravan.coordinator.metrics;

import dev.caravan.coordinator.cluster.Member;
import dev.caravan.coordinator.rpc.Cluster.WorkerMemory;
import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.shard.ShardPlan;
import java.util.List;
import java.util.function.Predicate;

/**
 * A loaded cluster as its operators see it: what stays the same while it serves.
 *
 * @param model name that clients use
 * @param chat whether the model has a chat template
 * @param contextLength most positions of one sequence
 * @param workers in the plan's order
 * @param up whether a worker is still a member; thread-safe
 */
public record ServedCluster(
    String model,
    boolean chat,
    LlamaConfig config,
    int contextLength,
    ShardPlan plan,
    List<WorkerMemory> workers,
    Predicate<Member> up) {

  public ServedCluster {
    workers = List.copyOf(workers);
    if (workers.size() != plan.shards().size()) {
      throw new IllegalArgumentException(
          "%d workers for %d shards".formatted(workers.size(), plan.shards().size()));
    }
  }
}
