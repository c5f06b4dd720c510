package dev.caravan.model.shard;

import java.util.List;

/**
 * The grid of pipeline stages x tensor-parallel ranks.
 *
 * @param stages pipeline stages
 * @param ranks tensor-parallel ranks of every stage
 * @param shards stage by stage, rank by rank: the shard of (stage, rank) is at stage * ranks + rank
 */
public record ShardPlan(int stages, int ranks, List<Shard> shards) {

  public ShardPlan {
    shards = List.copyOf(shards);
    if (shards.size() != stages * ranks) {
      throw new IllegalArgumentException(
          "%d shards for %d stages x %d ranks".formatted(shards.size(), stages, ranks));
    }
  }

  public Shard shard(int stage, int rank) {
    return shards.get(stage * ranks + rank);
  }
}
