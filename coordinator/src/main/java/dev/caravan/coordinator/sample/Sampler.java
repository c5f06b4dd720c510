package dev.caravan.coordinator.sample;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.model.step.GumbelDraw;
import dev.caravan.model.step.LargestLogits;
import dev.caravan.model.step.LogitMass;
import dev.caravan.model.step.RowAnswer;
import dev.caravan.model.step.RowQuery;
import java.util.BitSet;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the tokens of one sequence from their logits. Confined to one sequence.
 *
 * <p>In the order of Hugging Face's generation: repetition penalty (Keskar et al., 2019, CTRL,
 * arXiv:1909.05858, section 4.1, over prompt and answer, each token once), {@link
 * LogitAdjustments}, {@link TokenConstraint}, temperature, top-k, top-p over what top-k left,
 * min-p; then {@link GumbelDraw} among what is left. Of equal logits the lower id comes first.
 * Random numbers depend on seed, position and id alone: the same seed gives the same tokens
 * everywhere.
 *
 * <p>The sampler asks for as few logits as its parameters allow ({@link #query}). What it decides
 * from them is what it would decide from all; where it cannot be sure of that, it takes all.
 */
public final class Sampler {
  /** Candidates of each rank where it is not known how many will be needed. */
  private static final int CANDIDATES = 256;

  /** First guess for how many of all logits are needed, and how it grows. */
  private static final int FIRST_COUNT = 64;

  private static final int COUNT_GROWTH = 8;

  private final SamplingParameters parameters;
  private final TokenChoice choice;
  private final GumbelDraw draw = new GumbelDraw();
  private final LargestLogits largest = new LargestLogits();
  private final AdjustedTokens adjusted;
  private final @Nullable TokenConstraint constraint;

  /** Starts a sequence after a prompt. */
  public Sampler(SamplingParameters parameters, int[] promptIds) {
    this(parameters, promptIds, Optional.empty());
  }

  /**
   * Starts a sequence after a prompt.
   *
   * @param constraint in its first state; goes on with each token
   */
  public Sampler(
      SamplingParameters parameters, int[] promptIds, Optional<TokenConstraint> constraint) {
    this.parameters = parameters;
    this.choice = new TokenChoice(parameters);
    this.adjusted = new AdjustedTokens(parameters);
    this.constraint = constraint.orElse(null);
    for (int id : promptIds) {
      adjusted.addPrompt(id);
    }
  }

  /** Returns what the next row has to answer. */
  public RowQuery query() {
    if (constraint != null) {
      return RowQuery.ALL;
    }
    if (takesEveryToken()) {
      return adjusted.count() > 0
          ? RowQuery.ALL
          : new RowQuery.Drawn(parameters.temperature(), parameters.seed());
    }
    long count = candidates();
    if (count > RowQuery.MAX_IDS || adjusted.count() > RowQuery.MAX_IDS) {
      return RowQuery.ALL;
    }
    return new RowQuery.Largest(
        (int) count, parameters.needsMass() ? parameters.temperature() : 0, adjusted.ids());
  }

  /**
   * Chooses the token after a position and remembers it.
   *
   * @param answer to {@link #query}, or all logits
   * @param allLogits gets all logits if the answer holds too few
   * @throws ClusterException INTERNAL if a logit is NaN or plus infinity, or all are ruled out
   */
  public int sample(int position, RowAnswer answer, Supplier<float[]> allLogits) {
    return switch (answer) {
      case RowAnswer.All all -> sample(position, all.logits());
      case RowAnswer.Candidates candidates -> {
        int id = choose(position, candidates);
        if (id == TokenChoice.UNDECIDED) {
          yield sample(position, allLogits.get());
        }
        adjusted.addGenerated(id);
        yield id;
      }
    };
  }

  /**
   * Chooses the token after a position from all logits and remembers it.
   *
   * @param logits [vocabSize]; minus infinity rules a token out; unchanged on return
   * @throws ClusterException INTERNAL if a logit is NaN or plus infinity, or all are ruled out
   */
  public int sample(int position, float[] logits) {
    check(logits);
    int id =
        constraint == null
            ? chooseAdjusted(position, logits)
            : chooseAllowed(position, logits, constraint);
    adjusted.addGenerated(id);
    return id;
  }

  private int chooseAllowed(int position, float[] logits, TokenConstraint rules) {
    BitSet allowed = rules.allowed();
    float[] masked = logits.clone();
    for (int id = 0; id < masked.length; id++) {
      if (!allowed.get(id)) {
        masked[id] = Float.NEGATIVE_INFINITY;
      }
    }
    check(masked);
    int id = chooseAdjusted(position, masked);
    rules.accept(id);
    return id;
  }

  private int chooseAdjusted(int position, float[] logits) {
    float[] original = adjust(logits);
    try {
      return choose(position, logits);
    } finally {
      restore(logits, original);
    }
  }

  private boolean takesEveryToken() {
    return parameters.temperature() > 0
        && parameters.topK() == 0
        && parameters.topP() == 1
        && parameters.minP() == 0;
  }

  /** As many may be adjusted out of the largest as there are: most often that is enough. */
  private long candidates() {
    long wanted = parameters.topK() > 0 ? parameters.topK() : CANDIDATES;
    if (parameters.temperature() == 0) {
      wanted = 1;
    }
    return wanted + Math.min(adjusted.count(), CANDIDATES);
  }

  private int choose(int position, RowAnswer.Candidates candidates) {
    if (candidates.ids().length == 0 || !isUsable(candidates.logits()[0])) {
      return TokenChoice.UNDECIDED;
    }
    if (takesEveryToken()) {
      return candidates.ids()[0];
    }
    return choice.choose(position, RankedLogits.of(candidates, adjusted, parameters));
  }

  private int choose(int position, float[] logits) {
    if (takesEveryToken()) {
      draw.start(parameters.temperature(), parameters.seed(), position);
      for (int id = 0; id < logits.length; id++) {
        draw.offer(logits[id], id);
      }
      return draw.id();
    }
    LogitMass mass =
        parameters.needsMass() ? LogitMass.of(logits, parameters.temperature()) : LogitMass.NONE;
    for (long count = Math.max(parameters.topK(), FIRST_COUNT); ; count *= COUNT_GROWTH) {
      largest.start((int) Math.min(count, logits.length));
      for (int id = 0; id < logits.length; id++) {
        largest.offer(logits[id], id);
      }
      largest.sort();
      int id =
          choice.choose(
              position, RankedLogits.ofAll(largest, logits.length, mass, parameters.temperature()));
      if (id != TokenChoice.UNDECIDED) {
        return id;
      }
    }
  }

  /** Returns what {@link #restore} needs. */
  private float[] adjust(float[] logits) {
    float[] original = new float[adjusted.count()];
    for (int i = 0; i < original.length; i++) {
      original[i] = logits[adjusted.id(i)];
      logits[adjusted.id(i)] = adjusted.adjusted(i, original[i]);
    }
    return original;
  }

  private void restore(float[] logits, float[] original) {
    for (int i = 0; i < original.length; i++) {
      logits[adjusted.id(i)] = original[i];
    }
  }

  private static boolean isUsable(float logit) {
    return logit < Float.POSITIVE_INFINITY && logit > Float.NEGATIVE_INFINITY;
  }

  private static void check(float[] logits) {
    boolean any = false;
    for (int id = 0; id < logits.length; id++) {
      if (!(logits[id] < Float.POSITIVE_INFINITY)) {
        throw unusable("logit %d of %d is %s".formatted(id, logits.length, logits[id]));
      }
      any |= logits[id] > Float.NEGATIVE_INFINITY;
    }
    if (!any) {
      throw unusable("none of %d logits is over minus infinity".formatted(logits.length));
    }
  }

  private static ClusterException unusable(String what) {
    return new ClusterException(
        ErrorCode.INTERNAL, what + ": the model computed no distribution; check its weights");
  }
}
