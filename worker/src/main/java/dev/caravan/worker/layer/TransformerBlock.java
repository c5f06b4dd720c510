package dev.caravan.worker.layer;

import dev.caravan.worker.tensor.Activations;

/**
 * One block: attention and feed-forward, each normalised before. What they give is added to the
 * residual stream by {@link BlockSequence}, when it is summed over all ranks.
 */
final class TransformerBlock {
  private final Activations normalised;
  private final RmsNorm attentionNorm;
  private final GroupedQueryAttention attention;
  private final RmsNorm mlpNorm;
  private final SwigluMlp mlp;

  /**
   * @param normalised [maxRows, hiddenSize] scratch
   */
  TransformerBlock(
      Activations normalised,
      RmsNorm attentionNorm,
      GroupedQueryAttention attention,
      RmsNorm mlpNorm,
      SwigluMlp mlp) {
    this.normalised = normalised;
    this.attentionNorm = attentionNorm;
    this.attention = attention;
    this.mlpNorm = mlpNorm;
    this.mlp = mlp;
  }

  /**
   * Computes the attention of a part's rows and starts its sum.
   *
   * @param op number of the all-reduce in the step
   */
  void startAttention(StepPart part, int op) {
    attentionNorm.forward(part.residual(), normalised, part.count());
    attention.start(normalised, part, op);
  }

  /**
   * Computes the feed-forward layer of a part's rows and starts its sum.
   *
   * @param op number of the all-reduce in the step
   */
  void startMlp(StepPart part, int op) {
    mlpNorm.forward(part.residual(), normalised, part.count());
    mlp.start(normalised, part, op);
  }
}
