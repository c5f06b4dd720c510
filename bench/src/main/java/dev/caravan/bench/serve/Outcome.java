package dev.caravan.bench.serve;

/**
 * What one user saw.
 *
 * @param startNanos when the request was to be sent, after the start of the run: in an open loop a
 *     late client is no excuse
 * @param firstNanos when the first piece of text came; 0 if none came
 * @param lastNanos when the last piece came, or the failure
 * @param gapNanos between pieces
 * @param promptTokens as the server counted
 * @param cachedTokens of them, what the server had computed before
 * @param outputTokens as the server counted
 * @param failure empty if all went well, else what went wrong
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Outcome(
    long startNanos,
    long firstNanos,
    long lastNanos,
    long[] gapNanos,
    int promptTokens,
    int cachedTokens,
    int outputTokens,
    String failure) {

  static Outcome failed(long startNanos, long endNanos, String failure) {
    return new Outcome(startNanos, 0, endNanos, new long[0], 0, 0, 0, failure);
  }

  boolean succeeded() {
    return failure.isEmpty();
  }

  double ttftMillis() {
    return (firstNanos - startNanos) / 1e6;
  }

  /** Mean time per token after the first; NaN of a single token. */
  double tpotMillis() {
    return outputTokens < 2 ? Double.NaN : (lastNanos - firstNanos) / 1e6 / (outputTokens - 1);
  }

  double totalMillis() {
    return (lastNanos - startNanos) / 1e6;
  }
}
