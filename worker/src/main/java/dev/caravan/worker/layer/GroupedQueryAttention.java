package dev.caravan.worker.layer;

import dev.caravan.model.shard.IntRange;
import dev.caravan.model.shard.Shard;
import dev.caravan.worker.kernel.AttentionHead;
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
  private final int heads;

  /**
   * @param layer of the cache, from 0 in every stage
   * @param groups local query heads of each local KV head
   */
  GroupedQueryAttention(
      StageKernels kernels,
      PagedKvCache cache,
      int layer,
      Workspace workspace,
      ColumnParallelLinear qkv,
      RowParallelLinear output,
      List<IntRange> groups) {
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
    this.heads = groups.getLast().end();
  }

  /**
   * Attends, and starts to sum the result over all ranks.
   *
   * @param x [rows, hiddenSize], the part's rows normalised
   */
  void start(Activations x, StepPart part, int op) {
    int count = part.count();
    qkv.forward(x, count);
    kernels.rope(workspace.query(), heads, part.rotation(), count);
    kernels.rope(workspace.key(), kvHeads.size(), part.rotation(), count);
    kernels.append(cache, layer, workspace.key(), workspace.value(), part.rows());
    kernels.attention(workspace.query(), workspace.attention(), kvHeads, part.tasks());
    output.start(workspace.attention(), part, op);
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
