package dev.caravan.model.step;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;

class GumbelDrawTest {
  private static final int DRAWS = 40_000;

  private final GumbelDraw draw = new GumbelDraw();

  @Test
  void drawsInProportionToTheSoftmax() {
    float[] logits = {(float) Math.log(0.5), (float) Math.log(0.1), (float) Math.log(0.4)};
    double[] shares = new double[3];
    for (int position = 0; position < DRAWS; position++) {
      shares[draw(1, 42, position, logits)] += 1.0 / DRAWS;
    }
    // Over four standard deviations of 40,000 draws.
    assertThat(shares[0]).isCloseTo(0.5, within(0.0105));
    assertThat(shares[1]).isCloseTo(0.1, within(0.0105));
    assertThat(shares[2]).isCloseTo(0.4, within(0.0105));
  }

  @Test
  void drawsEvenlyFromAWideFlatVocabulary() {
    float[] logits = new float[500];
    int[] counts = new int[10];
    for (int position = 0; position < DRAWS; position++) {
      counts[draw(1, -3, position, logits) / 50]++;
    }
    for (int count : counts) {
      assertThat(count / (double) DRAWS).isCloseTo(0.1, within(0.007));
    }
  }

  @Test
  void drawOverPartsIsTheDrawOverAll() {
    Random random = new Random(5);
    for (int trial = 0; trial < 300; trial++) {
      float[] logits = logits(random, 1 + random.nextInt(3000), trial % 2 == 0 ? 10 : 0.01f);
      int cut = random.nextInt(logits.length + 1);
      GumbelDraw left = new GumbelDraw();
      GumbelDraw right = new GumbelDraw();
      left.start(0.8, trial, 7);
      right.start(0.8, trial, 7);
      for (int id = 0; id < logits.length; id++) {
        (id < cut ? left : right).offer(logits[id], id);
      }
      draw.start(0.8, trial, 7);
      // Backwards: the order of the offers must not count.
      for (GumbelDraw part : new GumbelDraw[] {right, left}) {
        if (part.id() >= 0) {
          draw.offer(part.logit(), part.id());
        }
      }
      int joined = draw.id();
      assertThat(joined).isEqualTo(draw(0.8, trial, 7, logits));
    }
  }

  /** The shortcut past the logarithms must never turn away the winner. */
  @Test
  void idsThatAreSkippedCouldNotHaveWon() {
    Random random = new Random(6);
    for (int trial = 0; trial < 2000; trial++) {
      float[] logits = logits(random, 200, trial % 3 == 0 ? 0 : 20);
      int best = -1;
      double bestValue = Double.NEGATIVE_INFINITY;
      draw.start(1, trial, 3);
      for (int id = 0; id < logits.length; id++) {
        double value = draw.value(logits[id], id);
        if (value > bestValue) {
          best = id;
          bestValue = value;
        }
      }
      assertThat(draw(1, trial, 3, logits)).isEqualTo(best);
    }
  }

  @Test
  void ruledOutIdsAreNeverDrawn() {
    assertThat(draw(100, 1, 2, new float[] {Float.NEGATIVE_INFINITY, -90, Float.NEGATIVE_INFINITY}))
        .isEqualTo(1);
    assertThat(draw(1, 1, 2, new float[] {Float.NEGATIVE_INFINITY})).isEqualTo(-1);
  }

  @Test
  void seedAndPositionBothChangeTheDraw() {
    float[] logits = new float[100_000];
    assertThat(draw(1, 1, 1, logits)).isEqualTo(draw(1, 1, 1, logits));
    assertThat(draw(1, 1, 1, logits)).isNotEqualTo(draw(1, 2, 1, logits));
    assertThat(draw(1, 1, 1, logits)).isNotEqualTo(draw(1, 1, 2, logits));
  }

  private int draw(double temperature, long seed, int position, float[] logits) {
    draw.start(temperature, seed, position);
    for (int id = 0; id < logits.length; id++) {
      draw.offer(logits[id], id);
    }
    return draw.id();
  }

  private static float[] logits(Random random, int count, float spread) {
    float[] logits = new float[count];
    for (int id = 0; id < count; id++) {
      logits[id] = spread * (float) random.nextGaussian();
    }
    return logits;
  }
}
