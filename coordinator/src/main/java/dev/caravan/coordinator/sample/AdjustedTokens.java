package dev.caravan.coordinator.sample;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * The tokens of one sequence whose logits are changed before one is chosen: those that occurred, as
 * far as there is a penalty on them, and those with a bias. Confined to one sequence.
 */
final class AdjustedTokens {
  private final SamplingParameters parameters;
  private final LogitAdjustments adjustments;
  private final Map<Integer, Integer> indexes = new HashMap<>();
  private int[] ids = new int[16];
  private boolean[] occurred = new boolean[16];
  private int[] generated = new int[16];

  AdjustedTokens(SamplingParameters parameters) {
    this.parameters = parameters;
    this.adjustments = parameters.adjustments();
    adjustments.logitBias().keySet().stream().sorted().forEach(this::index);
  }

  /** Takes note of an id of the prompt. */
  void addPrompt(int id) {
    if (parameters.repetitionPenalty() != 1) {
      int index = index(id); // before the array is looked at: it may grow
      occurred[index] = true;
    }
  }

  /** Takes note of an id that was chosen. */
  void addGenerated(int id) {
    if (parameters.repetitionPenalty() != 1 || adjustments.penalizes()) {
      int index = index(id);
      occurred[index] = true;
      generated[index]++;
    }
  }

  private int index(int id) {
    int next = indexes.size();
    Integer index = indexes.putIfAbsent(id, next);
    if (index != null) {
      return index;
    }
    if (next == ids.length) {
      ids = Arrays.copyOf(ids, next * 2);
      occurred = Arrays.copyOf(occurred, next * 2);
      generated = Arrays.copyOf(generated, next * 2);
    }
    ids[next] = id;
    return next;
  }

  boolean contains(int id) {
    return indexes.containsKey(id);
  }

  /** Returns all ids, in an order that only grows. */
  int[] ids() {
    return Arrays.copyOf(ids, indexes.size());
  }

  int count() {
    return indexes.size();
  }

  /** Returns an id by its place among {@link #ids}. */
  int id(int index) {
    return ids[index];
  }

  /** Returns the logit with which an id, by its place, takes part in the choice. */
  float adjusted(int index, float logit) {
    float adjusted = occurred[index] ? parameters.penalized(logit) : logit;
    return adjusted + (float) adjustments.added(ids[index], generated[index]);
  }
}
