package dev.caravan.worker.layer;

import dev.caravan.worker.kernel.Rotation;
import dev.caravan.worker.tensor.Activations;

/**
 * One block: attention and feed-forward, each normalised before and added to the residual stream.
 */
final class TransformerBlock {
  /** All-reduces of one block. */
  static final int ALL_REDUCES = 2;

  private final StageKernels kernels;
  private final Activations normalised;
  private final RmsNorm attentionNorm;
  private final GroupedQueryAttention attention;
  private final RmsNorm mlpNorm;
  private final SwigluMlp mlp;

  /**
   * @param normalised [maxRows, hiddenSize] scratch
   */
  TransformerBlock(
      StageKernels kernels,
      Activations normalised,
      RmsNorm attentionNorm,
      GroupedQueryAttention attention,
      RmsNorm mlpNorm,
      SwigluMlp mlp) {
    this.kernels = kernels;
    this.normalised = normalised;
    this.attentionNorm = attentionNorm;
    this.attention = attention;
    this.mlpNorm = mlpNorm;
    this.mlp = mlp;
  }

  /**
   * Adds the block's two results to x.
   *
   * @param x [rows, hiddenSize] residual stream, changed in place
   * @param firstOp number of the block's first all-reduce in the step
   */
  void forward(Activations x, StepRows rows, Rotation rotation, long step, int firstOp) {
    int count = rows.rows();
    attentionNorm.forward(x, normalised, count);
    kernels.add(x, attention.forward(normalised, rows, rotation, step, firstOp), count);
    mlpNorm.forward(x, normalised, count);
    kernels.add(x, mlp.forward(normalised, count, step, firstOp + 1), count);
  }
}
