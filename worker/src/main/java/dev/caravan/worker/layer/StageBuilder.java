package dev.caravan.worker.layer;

import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.shard.IntRange;
import dev.caravan.model.shard.Shard;
import dev.caravan.model.step.RuntimeSettings;
import dev.caravan.worker.collective.Collective;
import dev.caravan.worker.collective.StageLink;
import dev.caravan.worker.compute.ComputePool;
import dev.caravan.worker.kernel.KernelLimits;
import dev.caravan.worker.kernel.Kernels;
import dev.caravan.worker.kvcache.PagedKvCache;
import dev.caravan.worker.tensor.Activations;
import dev.caravan.worker.tensor.WeightMatrix;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Puts the layers of a stage together. The only place where they learn of each other. */
public final class StageBuilder {
  private final Arena arena;
  private final LlamaConfig config;
  private final Shard shard;
  private final RuntimeSettings settings;
  private final StageKernels kernels;
  private final Kernels firstKernels;
  private final Workspace workspace;
  private final AttentionTasks attentionTasks;
  private final StepRows rows;

  /**
   * @param arena shared, owns all activations
   * @param kernels one for each thread of the pool
   */
  public StageBuilder(
      Arena arena,
      LlamaConfig config,
      Shard shard,
      RuntimeSettings settings,
      ComputePool pool,
      List<Kernels> kernels) {
    this.arena = arena;
    this.config = config;
    this.shard = shard;
    this.settings = settings;
    this.kernels = new StageKernels(pool, kernels);
    this.firstKernels = kernels.getFirst();
    this.workspace = Workspace.allocate(arena, config, shard, settings.maxBatchRows());
    this.attentionTasks =
        new AttentionTasks(
            arena,
            pool.threads(),
            shard.kvHeads().size(),
            new KernelLimits(settings.contextLength(), config.headsPerKvHead(), config.headDim()));
    this.rows = new StepRows(settings, config.vocabSize());
  }

  /**
   * Builds the stage.
   *
   * @param previous link to the stage before; null on the first
   * @param next link to the stage after; null on the last
   */
  public LlamaStage build(
      StageWeights weights,
      PagedKvCache cache,
      Collective collective,
      @Nullable StageLink previous,
      @Nullable StageLink next) {
    List<TransformerBlock> blocks = new ArrayList<>();
    for (StageWeights.Block block : weights.blocks()) {
      blocks.add(block(block, blocks.size(), cache, collective));
    }
    return new LlamaStage(
        rows,
        new StepCut(
            collective.size(),
            new RotaryEmbedding(arena, config, settings.maxBatchRows()),
            attentionTasks,
            workspace.residual(),
            workspace.partial()),
        workspace.residual(),
        weights.embedding().map(table -> new TokenEmbedding(table, firstKernels)).orElse(null),
        new BlockSequence(kernels, collective, blocks),
        weights.head().flatMap(this::head).orElse(null),
        previous,
        next);
  }

  private TransformerBlock block(
      StageWeights.Block block, int layer, PagedKvCache cache, Collective collective) {
    List<IntRange> groups = GroupedQueryAttention.groups(shard, config.headsPerKvHead());
    GroupedQueryAttention attention =
        new GroupedQueryAttention(
            kernels,
            cache,
            layer,
            workspace,
            columnParallel(
                List.of(block.query(), block.key(), block.value()),
                List.of(workspace.query(), workspace.key(), workspace.value())),
            new RowParallelLinear(
                kernels,
                collective,
                workspace.attentionInput(),
                settings.activations(),
                block.attentionOutput()),
            groups);
    SwigluMlp mlp =
        new SwigluMlp(
            kernels,
            workspace,
            columnParallel(
                List.of(block.gate(), block.up()), List.of(workspace.gate(), workspace.up())),
            new RowParallelLinear(
                kernels, collective, workspace.ffnInput(), settings.activations(), block.down()));
    return new TransformerBlock(
        workspace.normalised(),
        new RmsNorm(kernels, block.attentionNorm(), config.rmsNormEps()),
        attention,
        new RmsNorm(kernels, block.ffnNorm(), config.rmsNormEps()),
        mlp);
  }

  private Optional<VocabParallelHead> head(StageWeights.Head head) {
    return head.output()
        .map(output -> {
          Activations logits =
              new Activations(arena, settings.maxLogitsRows(config.vocabSize()), output.rows());
          return new VocabParallelHead(
              new RmsNorm(kernels, head.norm(), config.rmsNormEps()),
              columnParallel(List.of(output), List.of(logits)),
              workspace.normalised(),
              logits,
              new RowAnswers(kernels, logits, shard.vocabRows(), rows));
        });
  }

  private ColumnParallelLinear columnParallel(
      List<WeightMatrix> weights, List<Activations> outputs) {
    return new ColumnParallelLinear(
        kernels, workspace.hiddenInput(), settings.activations(), weights, outputs);
  }
}
