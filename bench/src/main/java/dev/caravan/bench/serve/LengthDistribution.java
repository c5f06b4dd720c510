package dev.caravan.bench.serve;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.util.random.RandomGenerator;

/** How long prompts or answers are, in tokens. Immutable. */
public sealed interface LengthDistribution {
  /** Longest that is ever drawn. */
  int MAX_TOKENS = 131_072;

  /** Always the same. */
  record Fixed(int tokens) implements LengthDistribution {}

  /** Any length from min to max, both included. */
  record Uniform(int min, int max) implements LengthDistribution {}

  /**
   * Most near the median, some far longer, as people's prompts are.
   *
   * @param sigma standard deviation of the logarithm
   */
  record LogNormal(int median, double sigma) implements LengthDistribution {}

  /** Draws a length, at least 1. */
  default int draw(RandomGenerator random) {
    return switch (this) {
      case Fixed fixed -> fixed.tokens;
      case Uniform uniform -> random.nextInt(uniform.min, uniform.max + 1);
      case LogNormal logNormal ->
          (int)
              Math.clamp(
                  Math.round(logNormal.median * Math.exp(logNormal.sigma * random.nextGaussian())),
                  1,
                  MAX_TOKENS);
    };
  }

  /**
   * Reads 128, uniform:16:256 or lognormal:128:0.8.
   *
   * @throws ClusterException INVALID_REQUEST if it is none of them
   */
  static LengthDistribution parse(String option, String text) {
    String[] parts = text.split(":", -1);
    try {
      if (parts.length == 1) {
        return new Fixed(tokens(parts[0]));
      }
      if (parts.length == 3 && parts[0].equals("uniform")) {
        int min = tokens(parts[1]);
        int max = tokens(parts[2]);
        if (min <= max) {
          return new Uniform(min, max);
        }
      }
      if (parts.length == 3 && parts[0].equals("lognormal")) {
        double sigma = Double.parseDouble(parts[2]);
        if (sigma >= 0 && sigma <= 3) {
          return new LogNormal(tokens(parts[1]), sigma);
        }
      }
    } catch (NumberFormatException e) {
      // Said below, for all that is wrong with it.
    }
    throw new ClusterException(
        ErrorCode.INVALID_REQUEST,
        "%s %s is not N, uniform:MIN:MAX or lognormal:MEDIAN:SIGMA of 1 to %d tokens and a sigma up to 3"
            .formatted(option, text, MAX_TOKENS));
  }

  private static int tokens(String text) {
    int tokens = Integer.parseInt(text);
    if (tokens < 1 || tokens > MAX_TOKENS) {
      throw new NumberFormatException(text);
    }
    return tokens;
  }
}
