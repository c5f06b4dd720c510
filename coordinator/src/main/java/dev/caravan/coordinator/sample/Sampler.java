package dev.caravan.coordinator.sample;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.util.Arrays;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * Chooses the tokens of one sequence from their logits. Confined to one sequence.
 *
 * <p>In the order of Hugging Face's generation: repetition penalty (Keskar et al., 2019, CTRL,
 * arXiv:1909.05858, section 4.1, over prompt and answer, each token once), temperature, top-k,
 * top-p over what top-k left, min-p. One random number is drawn per token, none if the temperature
 * is 0, by an algorithm that Java specifies: the same seed gives the same tokens everywhere.
 */
public final class Sampler {
  private static final String GENERATOR = "L64X128MixRandom";

  /** First guess for how many tokens reach top-p, and how it grows. */
  private static final int FIRST_NUCLEUS = 64;

  private static final int NUCLEUS_GROWTH = 8;

  private final SamplingParameters parameters;
  private final RandomGenerator random;
  private final SeenTokens seen = new SeenTokens();
  private int[] allIds = {};

  /** Starts a sequence after a prompt. */
  public Sampler(SamplingParameters parameters, int[] promptIds) {
    this.parameters = parameters;
    this.random = RandomGeneratorFactory.of(GENERATOR).create(parameters.seed());
    for (int id : promptIds) {
      see(id);
    }
  }

  /**
   * Chooses the next token and remembers it. Of equal logits greedy takes the lowest id.
   *
   * @param logits [vocabSize]; minus infinity rules a token out; unchanged on return
   * @throws ClusterException INTERNAL if a logit is NaN or plus infinity, or all are ruled out
   */
  public int sample(float[] logits) {
    float[] original = penalize(logits);
    int id;
    try {
      int best = best(logits);
      id = parameters.temperature() == 0 ? best : draw(logits, best);
    } finally {
      restore(logits, original);
    }
    see(id);
    return id;
  }

  private void see(int id) {
    if (parameters.repetitionPenalty() != 1) {
      seen.add(id);
    }
  }

  /** Returns what {@link #restore} needs. */
  private float[] penalize(float[] logits) {
    float[] original = new float[seen.count()];
    float penalty = (float) parameters.repetitionPenalty();
    for (int i = 0; i < original.length; i++) {
      float logit = logits[seen.id(i)];
      original[i] = logit;
      logits[seen.id(i)] = logit < 0 ? logit * penalty : logit / penalty;
    }
    return original;
  }

  private void restore(float[] logits, float[] original) {
    for (int i = 0; i < original.length; i++) {
      logits[seen.id(i)] = original[i];
    }
  }

  private static int best(float[] logits) {
    int best = 0;
    for (int id = 0; id < logits.length; id++) {
      if (!(logits[id] < Float.POSITIVE_INFINITY)) {
        throw unusable("logit %d of %d is %s".formatted(id, logits.length, logits[id]));
      }
      if (logits[id] > logits[best]) {
        best = id;
      }
    }
    if (logits.length == 0 || logits[best] == Float.NEGATIVE_INFINITY) {
      throw unusable("none of %d logits is over minus infinity".formatted(logits.length));
    }
    return best;
  }

  private static ClusterException unusable(String what) {
    return new ClusterException(
        ErrorCode.INTERNAL, what + ": the model computed no distribution; check its weights");
  }

  private int draw(float[] logits, int best) {
    int[] ids = candidates(logits, best);
    double mass = 0;
    for (int id : ids) {
      mass += kept(logits, id, best);
    }
    double left = random.nextDouble() * mass;
    for (int id : ids) {
      left -= kept(logits, id, best);
      if (left < 0) {
        return id;
      }
    }
    // Only rounding leads here.
    return best;
  }

  private int[] candidates(float[] logits, int best) {
    if (parameters.topK() > 0 && parameters.topK() < logits.length) {
      return topK(logits, best);
    }
    if (parameters.topP() < 1) {
      return topP(logits, best);
    }
    return everyId(logits.length);
  }

  /** Kept between steps: without a filter each step walks the whole vocabulary. */
  private int[] everyId(int vocabSize) {
    if (allIds.length != vocabSize) {
      allIds = new int[vocabSize];
      Arrays.setAll(allIds, id -> id);
    }
    return allIds;
  }

  private int[] topK(float[] logits, int best) {
    int[] ids = LargestLogits.select(logits, parameters.topK());
    double mass = 0;
    for (int id : ids) {
      mass += weight(logits, id, best);
    }
    return nucleus(logits, ids, mass);
  }

  /** Selects more and more of the largest until they reach top-p: mostly the first guess does. */
  private int[] topP(float[] logits, int best) {
    double mass = 0;
    for (int id = 0; id < logits.length; id++) {
      mass += weight(logits, id, best);
    }
    for (long count = FIRST_NUCLEUS; ; count *= NUCLEUS_GROWTH) {
      int[] ids = LargestLogits.select(logits, (int) Math.min(count, logits.length));
      int[] nucleus = nucleus(logits, ids, mass);
      if (nucleus.length < ids.length || ids.length == logits.length) {
        return nucleus;
      }
    }
  }

  /**
   * Returns the first ids that together reach top-p of the mass, the one that reaches it included.
   */
  private int[] nucleus(float[] logits, int[] ids, double mass) {
    double reached = 0;
    for (int i = 0; i < ids.length; i++) {
      reached += weight(logits, ids[i], ids[0]);
      if (reached >= parameters.topP() * mass) {
        return Arrays.copyOf(ids, i + 1);
      }
    }
    return ids;
  }

  /** Probability relative to the likeliest token, before min-p. */
  private double weight(float[] logits, int id, int best) {
    return Math.exp(((double) logits[id] - logits[best]) / parameters.temperature());
  }

  private double kept(float[] logits, int id, int best) {
    double weight = weight(logits, id, best);
    return weight < parameters.minP() ? 0 : weight;
  }
}
