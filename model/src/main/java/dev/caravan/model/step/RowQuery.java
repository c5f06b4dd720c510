package dev.caravan.model.step;

/**
 * What a row of a step has to answer: as little of its logits as decides the next token exactly.
 * Immutable.
 */
public sealed interface RowQuery {
  /** Most candidates, and most asked ids, of one row: what keeps every answer a small message. */
  int MAX_IDS = 1024;

  /** All logits: the one instance that is needed. */
  All ALL = new All();

  /** All logits of the vocabulary. */
  record All() implements RowQuery {}

  /**
   * The largest logits with their ids, the logits of some ids, and the mass of all.
   *
   * @param count how many of the largest, in [0, MAX_IDS]; each rank answers so many of its own
   * @param massTemperature at which {@link LogitMass} is summed; 0: it is not needed
   * @param ids whose logits are answered whatever they are, at most MAX_IDS
   */
  @SuppressWarnings("ArrayRecordComponent") // hot path: one per row, never compared
  record Largest(int count, double massTemperature, int[] ids) implements RowQuery {
    private static final int[] NO_IDS = {};

    public Largest {
      if (count < 0 || count > MAX_IDS) {
        throw new IllegalArgumentException(
            "%d candidates are not in 0..%d".formatted(count, MAX_IDS));
      }
      if (ids.length > MAX_IDS) {
        throw new IllegalArgumentException(
            "%d asked ids are more than %d".formatted(ids.length, MAX_IDS));
      }
      if (!(massTemperature >= 0) || Double.isInfinite(massTemperature)) {
        throw new IllegalArgumentException(
            "mass temperature %s is not 0 (no mass) or more".formatted(massTemperature));
      }
    }

    /** The largest alone. */
    public Largest(int count) {
      this(count, 0, NO_IDS);
    }

    public boolean wantsMass() {
      return massTemperature > 0;
    }
  }

  /**
   * One id, drawn from the whole distribution by {@link GumbelDraw} at the row's position.
   *
   * @param temperature divides the logits, over 0
   */
  record Drawn(double temperature, long seed) implements RowQuery {
    public Drawn {
      if (!(temperature > 0) || Double.isInfinite(temperature)) {
        throw new IllegalArgumentException("temperature %s is not over 0".formatted(temperature));
      }
    }
  }
}
