package dev.caravan.bench.serve;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.SplittableRandom;

/**
 * A load: which requests, and when.
 *
 * @param requests how many
 * @param ratePerSecond open loop: requests come at random, so many per second on average, however
 *     slow the server is; empty for closed loop
 * @param concurrency closed loop: so many users, each sends its next request after an answer
 * @param sharedPrefix share of each prompt that is the same in all requests, 0 to 1
 * @param seed of all random numbers: the same load again
 * @param duration after that no request is started
 * @param requestTimeout a request that is silent for longer has failed
 */
public record LoadSettings(
    int requests,
    OptionalDouble ratePerSecond,
    int concurrency,
    LengthDistribution promptTokens,
    LengthDistribution outputTokens,
    double sharedPrefix,
    long seed,
    Duration duration,
    Duration requestTimeout) {

  private static final int MAX_REQUESTS = 100_000;
  private static final int MAX_CONCURRENCY = 4096;
  private static final double MAX_RATE = 10_000;

  /** Single bytes in all vocabularies of Llama, whatever the model: texts without sense. */
  private static final int FIRST_ID = 10;

  private static final int END_ID = 250;

  /**
   * Checks the ranges.
   *
   * @throws ClusterException INVALID_REQUEST that names the option and its range
   */
  public LoadSettings {
    check("--requests", requests, 1, MAX_REQUESTS);
    check("--concurrency", concurrency, 1, MAX_CONCURRENCY);
    check("--rate", ratePerSecond.orElse(1), 1e-3, MAX_RATE);
    check("--shared-prefix", sharedPrefix, 0, 1);
    check("--duration", (double) duration.toSeconds(), 1, 86_400);
    check("--timeout", (double) requestTimeout.toSeconds(), 1, 86_400);
  }

  private static void check(String option, double value, double min, double max) {
    if (!(value >= min && value <= max)) {
      throw new ClusterException(
          ErrorCode.INVALID_REQUEST,
          "%s %s is not in %s..%s".formatted(option, text(value), text(min), text(max)));
    }
  }

  private static String text(double value) {
    return value % 1 == 0 ? String.valueOf((long) value) : String.valueOf(value);
  }

  /**
   * A request.
   *
   * @param startNanos after the start of the run; 0 in a closed loop
   * @param promptIds token ids
   */
  @SuppressWarnings("ArrayRecordComponent") // sent once, never compared
  public record Planned(int index, long startNanos, int[] promptIds, int outputTokens) {}

  /** Draws one request after the other; the same settings draw the same. */
  public static final class Source {
    private final LoadSettings settings;
    private final SplittableRandom random;
    private final List<Integer> common = new ArrayList<>();
    private int next;
    private double seconds;

    public Source(LoadSettings settings) {
      this.settings = settings;
      this.random = new SplittableRandom(settings.seed);
    }

    boolean hasNext() {
      return next < settings.requests;
    }

    Planned next() {
      if (settings.ratePerSecond.isPresent()) {
        // The gaps of a Poisson process.
        seconds += -Math.log1p(-random.nextDouble()) / settings.ratePerSecond.getAsDouble();
      }
      int[] prompt = new int[settings.promptTokens.draw(random)];
      int shared = (int) Math.round(prompt.length * settings.sharedPrefix);
      while (common.size() < shared) {
        common.add(random.nextInt(FIRST_ID, END_ID));
      }
      for (int i = 0; i < prompt.length; i++) {
        prompt[i] = i < shared ? common.get(i) : random.nextInt(FIRST_ID, END_ID);
      }
      Planned planned =
          new Planned(next, (long) (seconds * 1e9), prompt, settings.outputTokens.draw(random));
      next++;
      return planned;
    }
  }
}
