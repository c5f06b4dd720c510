package dev.caravan.worker.layer;

import dev.caravan.worker.collective.Collective;
import java.util.List;

/**
 * The blocks of a stage, one after the other. While the sums of one part of a step travel, the
 * other part computes. Confined to the step thread.
 *
 * <p>Keys and values of a part are in the cache before the next part attends in the same block: a
 * sequence may be cut between any two rows.
 */
final class BlockSequence {
  private final StageKernels kernels;
  private final Collective collective;
  private final List<TransformerBlock> blocks;

  BlockSequence(StageKernels kernels, Collective collective, List<TransformerBlock> blocks) {
    this.kernels = kernels;
    this.collective = collective;
    this.blocks = List.copyOf(blocks);
  }

  /**
   * Adds what the blocks give to the residual stream of all parts.
   *
   * @throws dev.caravan.model.error.ClusterException WORKER_LOST if a peer does not answer before
   *     the step deadline
   */
  void forward(List<StepPart> parts) {
    if (parts.size() > 1) {
      kernels.meanwhile(collective::progress);
    }
    try {
      compute(parts);
    } finally {
      kernels.meanwhile(null);
    }
  }

  private void compute(List<StepPart> parts) {
    int op = 0;
    for (TransformerBlock block : blocks) {
      for (StepPart part : parts) {
        if (op >= parts.size()) {
          finish(part);
        }
        block.startAttention(part, op++);
      }
      for (StepPart part : parts) {
        finish(part);
        block.startMlp(part, op++);
      }
    }
    parts.forEach(this::finish);
  }

  /** Waits for the sums of a part, which were started before all others, and adds them. */
  private void finish(StepPart part) {
    collective.finish();
    kernels.add(part.residual(), part.partial(), part.count());
  }
}
