package dev.caravan.coordinator.generate;

import dev.caravan.coordinator.schedule.Sequence;
import dev.caravan.model.step.SequenceChunk;

/** Sums the negative log-likelihoods of a text's tokens, each given all tokens before it. */
public final class PerplexityScore implements Sequence.LogitsConsumer {
  private final int[] ids;
  private double sum;

  /**
   * @param ids at least two: the first one is given, not scored
   */
  public PerplexityScore(int[] ids) {
    if (ids.length < 2) {
      throw new IllegalArgumentException("%d ids: nothing to score".formatted(ids.length));
    }
    this.ids = ids.clone();
  }

  /** Returns the sequence that computes the score: one pass from position 0. */
  public Sequence sequence() {
    return new Sequence(ids, SequenceChunk.Logits.ALL, this);
  }

  @Override
  public int accept(int position, float[] logits) {
    if (position == ids.length - 1) {
      return END;
    }
    sum += logSumExp(logits) - logits[ids[position + 1]];
    return NONE;
  }

  /** Mean over all ids but the first, in nats. */
  public double meanNll() {
    return sum / (ids.length - 1);
  }

  public double perplexity() {
    return Math.exp(meanNll());
  }

  private static double logSumExp(float[] logits) {
    double max = Double.NEGATIVE_INFINITY;
    for (float logit : logits) {
      max = Math.max(max, logit);
    }
    double total = 0;
    for (float logit : logits) {
      total += Math.exp(logit - max);
    }
    return max + Math.log(total);
  }
}
