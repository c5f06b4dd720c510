package dev.caravan.bench.cluster;

import dev.caravan.coordinator.schedule.Sequence;
import dev.caravan.model.step.SequenceChunk;
import java.util.Arrays;

/** Runs a golden prompt: takes its logits, then goes on greedily. */
final class GoldenRun implements Sequence.LogitsConsumer {
  /** Rounding may turn a decision between two logits that are nearer to each other. */
  private static final double DECIDED_GAP = 1e-3;

  private final GoldenModel.Case golden;
  private final int[] output;
  private int count;
  private double distance = Double.NaN;

  /**
   * @param greedy true: goes on as long as the golden decisions are clear; false: ends after the
   *     prompt
   */
  GoldenRun(GoldenModel.Case golden, boolean greedy) {
    this.golden = golden;
    this.output = new int[greedy ? decided(golden.gaps()) : 0];
  }

  Sequence sequence() {
    return new Sequence(golden.prompt(), SequenceChunk.Logits.LAST, this);
  }

  @Override
  public int accept(int position, float[] logits) {
    if (position == golden.prompt().length - 1) {
      distance = golden.logits().relativeDistance(logits);
    }
    if (count == output.length) {
      return END;
    }
    output[count] = RowLogits.argmax(logits);
    count++;
    return count == output.length ? END : output[count - 1];
  }

  int promptLength() {
    return golden.prompt().length;
  }

  /** Relative distance of the logits after the prompt; not a number before it has run. */
  double distance() {
    return distance;
  }

  /** Output ids where they must be the golden ones. */
  int[] outputIds() {
    return Arrays.copyOf(output, count);
  }

  int[] goldenIds() {
    return Arrays.copyOf(golden.greedyIds(), output.length);
  }

  private static int decided(double[] gaps) {
    int steps = 0;
    while (steps < gaps.length && gaps[steps] > DECIDED_GAP) {
      steps++;
    }
    return steps;
  }
}
