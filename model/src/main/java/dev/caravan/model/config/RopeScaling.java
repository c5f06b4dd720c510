package dev.caravan.model.config;

import java.util.List;

/** How the rotary frequencies are stretched for contexts longer than the trained one. */
public sealed interface RopeScaling {

  /** The frequencies as they are. */
  record None() implements RopeScaling {}

  /** All positions divided by one factor. */
  record Linear(double factor) implements RopeScaling {
    public Linear {
      checkPositive("RoPE scaling factor", factor);
    }
  }

  /**
   * Llama 3's scaling: long wavelengths are divided by {@code factor}, short ones kept, the ones
   * between are blended.
   */
  record Llama3(
      double factor,
      double lowFrequencyFactor,
      double highFrequencyFactor,
      int originalContextLength)
      implements RopeScaling {
    public Llama3 {
      checkPositive("RoPE scaling factor", factor);
      checkPositive("RoPE low frequency factor", lowFrequencyFactor);
      checkPositive("RoPE high frequency factor", highFrequencyFactor);
      checkPositive("RoPE original context length", originalContextLength);
      if (lowFrequencyFactor >= highFrequencyFactor) {
        throw new IllegalArgumentException(
            "RoPE low frequency factor %s is not below the high one, %s"
                .formatted(lowFrequencyFactor, highFrequencyFactor));
      }
    }
  }

  /** One divisor per frequency, [headDim / 2], as GGUF's {@code rope_freqs.weight} holds them. */
  record Factors(List<Float> divisors) implements RopeScaling {
    public Factors {
      divisors = List.copyOf(divisors);
      divisors.forEach(divisor -> checkPositive("RoPE frequency divisor", divisor));
    }
  }

  /**
   * Computes the angle that each pair of a head turns per position.
   *
   * @param theta base of the geometric series
   * @return [headDim / 2] radians per position
   */
  default double[] frequencies(double theta, int headDim) {
    double[] frequencies = new double[headDim / 2];
    for (int i = 0; i < frequencies.length; i++) {
      frequencies[i] = scaled(Math.pow(theta, -2.0 * i / headDim), i);
    }
    return frequencies;
  }

  private static void checkPositive(String what, double value) {
    if (!(value > 0 && value < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("%s %s is not positive and finite".formatted(what, value));
    }
  }

  private double scaled(double frequency, int pair) {
    return switch (this) {
      case None() -> frequency;
      case Linear(double factor) -> frequency / factor;
      case Factors(List<Float> divisors) -> frequency / divisors.get(pair);
      case Llama3(double factor, double low, double high, int original) -> {
        double turns = original * frequency / (2 * Math.PI);
        if (turns < low) {
          yield frequency / factor;
        }
        if (turns > high) {
          yield frequency;
        }
        double smooth = (turns - low) / (high - low);
        yield (1 - smooth) * frequency / factor + smooth * frequency;
      }
    };
  }
}
