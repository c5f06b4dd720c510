package dev.caravan.coordinator.sample;

import dev.caravan.model.step.GumbelDraw;

/**
 * Chooses among the first tokens of a vocabulary, as if all of it were known, or not at all.
 * Confined to one sequence.
 */
final class TokenChoice {
  /** The tokens that are not known could change the choice. */
  static final int UNDECIDED = -1;

  private final SamplingParameters parameters;
  private final GumbelDraw draw = new GumbelDraw();

  TokenChoice(SamplingParameters parameters) {
    this.parameters = parameters;
  }

  /** Returns an id, or UNDECIDED; never UNDECIDED if all logits are known. */
  int choose(int position, RankedLogits ranked) {
    if (ranked.ids().length == 0) {
      return UNDECIDED;
    }
    if (parameters.temperature() == 0) {
      return ranked.ids()[0];
    }
    int kept = kept(ranked);
    if (kept == UNDECIDED) {
      return UNDECIDED;
    }
    draw.start(parameters.temperature(), parameters.seed(), position);
    for (int i = 0; i < kept && weight(ranked, i) >= parameters.minP(); i++) {
      draw.offer(ranked.logits()[i], ranked.ids()[i]);
    }
    return draw.id();
  }

  /** Returns how many of the first tokens top-k and top-p keep, and at least those of min-p. */
  private int kept(RankedLogits ranked) {
    int known = ranked.ids().length;
    if (parameters.topK() > 0 && (parameters.topK() <= known || !ranked.complete())) {
      return parameters.topK() <= known ? nucleusOf(ranked, parameters.topK()) : UNDECIDED;
    }
    if (parameters.topP() < 1) {
      return nucleus(ranked, known, ranked.minMass(), ranked.maxMass());
    }
    boolean restIsDropped = weight(ranked, known - 1) < parameters.minP();
    return ranked.complete() || restIsDropped ? known : UNDECIDED;
  }

  private int nucleusOf(RankedLogits ranked, int count) {
    double mass = 0;
    for (int i = 0; i < count; i++) {
      mass += weight(ranked, i);
    }
    int nucleus = nucleus(ranked, count, mass, mass);
    return nucleus == UNDECIDED ? count : nucleus;
  }

  /**
   * Returns how many of the first tokens together reach top-p of the mass, the one that reaches it
   * included.
   */
  private int nucleus(RankedLogits ranked, int count, double minMass, double maxMass) {
    double reached = 0;
    for (int i = 0; i < count; i++) {
      reached += weight(ranked, i);
      if (reached >= parameters.topP() * maxMass) {
        return i + 1;
      }
      if (!(reached < parameters.topP() * minMass)) {
        return UNDECIDED;
      }
    }
    return ranked.complete() ? count : UNDECIDED;
  }

  /** Probability relative to the likeliest token's. */
  private double weight(RankedLogits ranked, int i) {
    return Math.exp(((double) ranked.logits()[i] - ranked.logits()[0]) / parameters.temperature());
  }
}
