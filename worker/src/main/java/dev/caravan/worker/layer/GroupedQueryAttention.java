package dev.caravan.worker.layer;

import dev.caravan.model.shard.IntRange;
import dev.caravan.model.shard.Shard;
import dev.caravan.worker.kernel.AttentionHead;
import dev.caravan.worker.kernel.Rotation;
import dev.caravan.worker.kvcache.PagedKvCache;
import dev.caravan.worker.tensor.Activations;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Causal self-attention of the rank's heads: q, k, v, rotation, cache, softmax, output.
 *
 * <p>Query heads that share a KV head attend together (Ainslie et al., 2023, arXiv:2305.13245).
 */
final class GroupedQueryAttention {
  private final StageKernels kernels;
  private final PagedKvCache cache;
  private final int layer;
  private final Workspace workspace;
  private final ColumnParallelLinear qkv;
  private final RowParallelLinear output;
  private final List<AttentionHead> kvHeads;
  private final AttentionTasks tasks;
  private final int heads;

  /**
   * @param layer of the cache, from 0 in every stage
   * @param groups local query heads of each local KV head
   * @param tasks set for each step
   */
  GroupedQueryAttention(
      StageKernels kernels,
      PagedKvCache cache,
      int layer,
      Workspace workspace,
      ColumnParallelLinear qkv,
      RowParallelLinear output,
      List<IntRange> groups,
      AttentionTasks tasks) {
    this.kernels = kernels;
    this.cache = cache;
    this.layer = layer;
    this.workspace = workspace;
    this.qkv = qkv;
    this.output = output;
    this.kvHeads =
        IntStream.range(0, groups.size())
            .mapToObj(kvHead -> {
              IntRange group = groups.get(kvHead);
              return new AttentionHead(cache, layer, kvHead, group.start(), group.end());
            })
            .toList();
    this.tasks = tasks;
    this.heads = groups.getLast().end();
  }

  /**
   * Attends.
   *
   * @param x [rows, hiddenSize], normalised
   * @return [rows, hiddenSize], summed over all ranks
   */
  Activations forward(Activations x, StepRows rows, Rotation rotation, long step, int op) {
    int count = rows.rows();
    qkv.forward(x, count);
    kernels.rope(workspace.query(), heads, rotation, count);
    kernels.rope(workspace.key(), kvHeads.size(), rotation, count);
    kernels.append(cache, layer, workspace.key(), workspace.value(), rows);
    kernels.attention(workspace.query(), workspace.attention(), kvHeads, tasks);
    return output.forward(workspace.attention(), count, step, op);
  }

  /** Returns the local query heads of each local KV head. */
  static List<IntRange> groups(Shard shard, int headsPerKvHead) {
    List<IntRange> groups = new ArrayList<>();
    for (int kvHead = shard.kvHeads().start(); kvHead < shard.kvHeads().end(); kvHead++) {
      int start = Math.max(shard.heads().start(), kvHead * headsPerKvHead);
      int end = Math.min(shard.heads().end(), (kvHead + 1) * headsPerKvHead);
      groups.add(new IntRange(start - shard.heads().start(), end - shard.heads().start()));
    }
    return groups;
  }
}
