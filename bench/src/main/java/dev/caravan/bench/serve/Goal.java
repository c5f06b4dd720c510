package dev.caravan.bench.serve;

/**
 * What users are content with.
 *
 * @param ttftMillis longest wait for the first token; infinity for any
 * @param tpotMillis longest mean time per further token; infinity for any
 */
public record Goal(double ttftMillis, double tpotMillis) {

  boolean isMet(Outcome outcome) {
    return outcome.succeeded()
        && outcome.ttftMillis() <= ttftMillis
        && !(outcome.tpotMillis() > tpotMillis);
  }
}
