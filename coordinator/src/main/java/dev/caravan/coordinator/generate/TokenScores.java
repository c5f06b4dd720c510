package dev.caravan.coordinator.generate;

import dev.caravan.model.step.LargestLogits;
import dev.caravan.model.step.LogitMass;
import dev.caravan.model.step.RowAnswer;
import dev.caravan.model.step.RowQuery;
import java.util.Arrays;
import java.util.function.Supplier;

/**
 * Reads the logarithms of tokens' probabilities from answers of rows: of the model's own
 * distribution, at temperature 1. Confined to one generation.
 */
final class TokenScores {
  /** Of rows whose answer nobody needs. */
  static final RowQuery NOTHING = new RowQuery.Largest(0);

  private final int top;

  /**
   * @param top so many of the likeliest tokens are read too
   */
  TokenScores(int top) {
    this.top = top;
  }

  /** Returns what a row has to answer if the token after it is known. */
  RowQuery query(int id) {
    return new RowQuery.Largest(top, 1, new int[] {id});
  }

  /** Returns what a row has to answer so that it also answers a query that chooses its token. */
  RowQuery query(RowQuery choosing) {
    return switch (choosing) {
      case RowQuery.Largest largest when !largest.wantsMass() || largest.massTemperature() == 1 ->
          new RowQuery.Largest(Math.max(top, largest.count()), 1, largest.ids());
      case RowQuery.Largest other -> RowQuery.ALL;
      case RowQuery.Drawn drawn -> RowQuery.ALL;
      case RowQuery.All all -> all;
    };
  }

  /**
   * Reads the score of a known token.
   *
   * @param answer to {@link #query(int)} of the same token
   */
  TokenLogprobs ofKnown(int id, RowAnswer answer) {
    return switch (answer) {
      case RowAnswer.All all -> of(id, all.logits());
      case RowAnswer.Candidates candidates -> of(id, candidates.asked()[0], candidates);
    };
  }

  /**
   * Reads the score of a token that was chosen.
   *
   * @param answer to {@link #query(RowQuery)}
   * @param allLogits gets all logits if the answer does not hold the token
   */
  TokenLogprobs ofChosen(int id, RowAnswer answer, Supplier<float[]> allLogits) {
    return switch (answer) {
      case RowAnswer.All all -> of(id, all.logits());
      case RowAnswer.Candidates candidates -> {
        int place = indexOf(id, candidates.ids());
        yield place < 0 ? of(id, allLogits.get()) : of(id, candidates.logits()[place], candidates);
      }
    };
  }

  private TokenLogprobs of(int id, float logit, RowAnswer.Candidates candidates) {
    double logSum = candidates.mass().logSum();
    int count = Math.min(top, candidates.ids().length);
    return new TokenLogprobs(
        id,
        (float) (logit - logSum),
        Arrays.copyOf(candidates.ids(), count),
        logprobs(candidates.logits(), count, logSum));
  }

  private TokenLogprobs of(int id, float[] logits) {
    LargestLogits largest = new LargestLogits();
    largest.start(Math.min(top, logits.length));
    for (int i = 0; i < logits.length; i++) {
      largest.offer(logits[i], i);
    }
    largest.sort();
    double logSum = LogitMass.of(logits, 1).logSum();
    return new TokenLogprobs(
        id,
        (float) (logits[id] - logSum),
        largest.ids(),
        logprobs(largest.logits(), largest.size(), logSum));
  }

  private static float[] logprobs(float[] logits, int count, double logSum) {
    float[] logprobs = new float[count];
    for (int i = 0; i < count; i++) {
      logprobs[i] = (float) (logits[i] - logSum);
    }
    return logprobs;
  }

  private static int indexOf(int id, int[] ids) {
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] == id) {
        return i;
      }
    }
    return -1;
  }
}
