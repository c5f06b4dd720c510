package dev.caravan.coordinator.generate;

import dev.caravan.coordinator.schedule.Sequence;
import dev.caravan.model.step.LogitMass;
import dev.caravan.model.step.RowAnswer;
import dev.caravan.model.step.RowQuery;
import dev.caravan.model.step.SequenceChunk;
import java.util.function.Supplier;

/** Sums the negative log-likelihoods of a text's tokens, each given all tokens before it. */
public final class PerplexityScore implements Sequence.AnswerConsumer {
  /** After the last id nothing is scored; its row only ends the sequence. */
  private static final RowQuery NOTHING = new RowQuery.Largest(0);

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
  public RowQuery query(int position) {
    return position == ids.length - 1
        ? NOTHING
        : new RowQuery.Largest(0, 1, new int[] {ids[position + 1]});
  }

  @Override
  public int accept(int position, RowAnswer answer, Supplier<float[]> allLogits) {
    if (position == ids.length - 1) {
      return END;
    }
    sum +=
        switch (answer) {
          case RowAnswer.All all ->
              LogitMass.of(all.logits(), 1).logSum() - all.logits()[ids[position + 1]];
          case RowAnswer.Candidates scored -> scored.mass().logSum() - scored.asked()[0];
        };
    return NONE;
  }

  /** Mean over all ids but the first, in nats. */
  public double meanNll() {
    return sum / (ids.length - 1);
  }

  public double perplexity() {
    return Math.exp(meanNll());
  }
}
