package dev.caravan.coordinator.sample;

import dev.caravan.model.step.LargestLogits;
import dev.caravan.model.step.LogitMass;
import dev.caravan.model.step.LogitOrder;
import dev.caravan.model.step.RowAnswer;
import java.util.Arrays;

/**
 * The first tokens of a vocabulary in the order of their adjusted logits, and what is known of the
 * rest: that it comes after them.
 *
 * @param ids in order
 * @param logits adjusted
 * @param complete true: there is no rest
 * @param minMass least that the softmax of the whole vocabulary can divide by, relative to the
 *     first logit; NaN if it is not known
 * @param maxMass most
 */
@SuppressWarnings("ArrayRecordComponent") // lives for one token, never compared
record RankedLogits(int[] ids, float[] logits, boolean complete, double minMass, double maxMass) {

  /**
   * From all logits, adjusted.
   *
   * @param largest of them, sorted, at least one
   */
  static RankedLogits ofAll(
      LargestLogits largest, int vocabSize, LogitMass mass, double temperature) {
    boolean complete = largest.size() == vocabSize;
    float[] logits = largest.logits();
    double relative = mass.relativeTo(logits[0], temperature);
    // As unsure as from candidates, as long as there is a rest: both then decide alike.
    double error = complete ? 0 : relative * LogitMass.RELATIVE_ERROR;
    return new RankedLogits(largest.ids(), logits, complete, relative - error, relative + error);
  }

  /**
   * From candidates: adjusted tokens take their new places, and tokens that come after the last
   * candidate are dropped, since one that was not answered could come before them.
   *
   * @param adjusted tokens whose logits were asked for
   */
  static RankedLogits of(
      RowAnswer.Candidates candidates, AdjustedTokens adjusted, SamplingParameters parameters) {
    int last = candidates.ids().length - 1;
    long lastKey = LogitOrder.key(candidates.logits()[last], candidates.ids()[last]);
    long[] keys = new long[candidates.ids().length + adjusted.count()];
    int count = 0;
    for (int i = 0; i <= last; i++) {
      if (!adjusted.contains(candidates.ids()[i])) {
        keys[count] = LogitOrder.key(candidates.logits()[i], candidates.ids()[i]);
        count++;
      }
    }
    for (int i = 0; i < adjusted.count(); i++) {
      long key = LogitOrder.key(adjusted.adjusted(i, candidates.asked()[i]), adjusted.id(i));
      if (key >= lastKey) {
        keys[count] = key;
        count++;
      }
    }
    Arrays.sort(keys, 0, count);
    int[] ids = new int[count];
    float[] logits = new float[count];
    for (int i = 0; i < count; i++) {
      ids[i] = LogitOrder.id(keys[count - 1 - i]);
      logits[i] = LogitOrder.logit(keys[count - 1 - i]);
    }
    if (count == 0 || !parameters.needsMass()) {
      return new RankedLogits(ids, logits, false, Double.NaN, Double.NaN);
    }
    return withMass(ids, logits, candidates, adjusted, parameters);
  }

  private static RankedLogits withMass(
      int[] ids,
      float[] logits,
      RowAnswer.Candidates candidates,
      AdjustedTokens adjusted,
      SamplingParameters parameters) {
    double temperature = parameters.temperature();
    double mass = candidates.mass().relativeTo(logits[0], temperature);
    double error = mass * LogitMass.RELATIVE_ERROR;
    for (int i = 0; i < adjusted.count(); i++) {
      float asked = candidates.asked()[i];
      double before = Math.exp(((double) asked - logits[0]) / temperature);
      double after = Math.exp(((double) adjusted.adjusted(i, asked) - logits[0]) / temperature);
      mass += after - before;
      error += (after + before) * LogitMass.RELATIVE_ERROR;
    }
    return new RankedLogits(ids, logits, false, mass - error, mass + error);
  }
}
