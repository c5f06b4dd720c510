package dev.caravan.coordinator.rpc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.model.step.StepBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class RehearsalTest {
  private static final int EPOCH = 5;
  private static final long NANOS = TimeUnit.MILLISECONDS.toNanos(1);

  private final List<StepBatch> echoes = new ArrayList<>();
  private final List<StepBatch> steps = new ArrayList<>();
  private long nowNanos;

  /** When the JIT has compiled all it will, in milliseconds; one of two compilers works. */
  private long jitEndMillis;

  @Test
  void decodesAsLongAsItGetsFaster() {
    // What a step takes in each second: in the fifth it gains too little.
    double[] millis = {250, 200, 160, 128, 125};
    int ran = rehearsal(1, () -> millis[Math.min(4, second())]).run(EPOCH);
    assertThat(ran).isEqualTo(echoes.size() + steps.size());
    assertThat(steps).hasSize(4 + 5 + 7 + 8 + 8);
  }

  @Test
  void endsAfterSomeSecondsAlthoughItStillGetsFaster() {
    rehearsal(1, () -> 400 * Math.pow(0.8, second())).run(EPOCH);
    assertThat(second()).isBetween(20, 22);
  }

  @Test
  void decodesAsLongAsTheCompilersWork() {
    jitEndMillis = 9_200;
    rehearsal(1, () -> 100).run(EPOCH);
    assertThat(second()).as("of which the compilers worked 6.7").isBetween(7, 8);
    jitEndMillis = Long.MAX_VALUE;
    nowNanos = 0;
    rehearsal(1, () -> 100).run(EPOCH);
    assertThat(second()).as("bound").isBetween(20, 22);
  }

  @Test
  void largeModelTakesTwoSteps() {
    rehearsal(1, () -> 5_000).run(EPOCH);
    assertThat(steps).hasSize(2);
  }

  @Test
  void echoesAreBoundedByTheirNumberAndByTime() {
    rehearsal(0, () -> 1_000).run(EPOCH);
    assertThat(echoes).hasSizeBetween(8_000, 8_010);
    echoes.clear();
    rehearsal(100, () -> 1_000).run(EPOCH);
    assertThat(echoes).hasSizeBetween(25, 30);
  }

  @Test
  void stepsAreOfTheEpochAndStayInTheFirstBlock() {
    rehearsal(1, () -> 20).run(EPOCH);
    assertThat(steps)
        .isNotEmpty()
        .allSatisfy(step -> {
          assertThat(step.epoch()).isEqualTo(EPOCH);
          assertThat(step.step()).as("before the first").isZero();
          assertThat(step.chunks().getFirst().startPosition()).isBetween(0, 15);
          assertThat(step.chunks().getFirst().blocks()).containsExactly(0);
        });
  }

  @Test
  void promptsAreRehearsedWhereTheyAreShort() {
    rehearsal(1, () -> 20).run(EPOCH);
    assertThat(steps.stream().mapToInt(StepBatch::rows).distinct()).containsExactly(1, 12);
    steps.clear();
    rehearsal(1, () -> 90).run(EPOCH);
    assertThat(steps).allSatisfy(step -> assertThat(step.rows()).isEqualTo(1));
  }

  private interface Millis {
    double next();
  }

  private Rehearsal rehearsal(long echoMillis, Millis stepMillis) {
    return new Rehearsal(
        batch -> {
          echoes.add(batch);
          nowNanos += echoMillis * NANOS;
          return Math.min(nowNanos / NANOS, jitEndMillis) / 2;
        },
        batch -> {
          steps.add(batch);
          nowNanos += (long) (stepMillis.next() * NANOS);
        },
        12,
        () -> nowNanos);
  }

  /** Of decoding, which begins when the echoes have taken their time. */
  private int second() {
    return (int) ((nowNanos - 2_500 * NANOS) / (1_000 * NANOS));
  }
}
