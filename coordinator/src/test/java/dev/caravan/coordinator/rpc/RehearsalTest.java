package dev.caravan.coordinator.rpc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.model.step.RuntimeSettings;
import dev.caravan.model.step.SequenceChunk;
import dev.caravan.model.step.StepBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class RehearsalTest {
  private static final int EPOCH = 5;
  private static final long NANOS = TimeUnit.MILLISECONDS.toNanos(1);
  private static final int VOCABULARY = 1_000;

  /** Steps of up to 12 rows, 7 KV blocks, 100 positions. */
  private static final RuntimeSettings SETTINGS =
      new RuntimeSettings(
          1,
          RuntimeSettings.Kernels.SIMD,
          RuntimeSettings.Activations.AUTO,
          RuntimeSettings.KvType.F16,
          RuntimeSettings.Sync.F32,
          RuntimeSettings.Collective.AUTO,
          12,
          7,
          100,
          false,
          1_000);

  private final List<StepBatch> echoes = new ArrayList<>();
  private final List<StepBatch> steps = new ArrayList<>();
  private long nowNanos;

  /** When the JIT has compiled all it will, in milliseconds; one of two compilers works. */
  private long jitEndMillis;

  @Test
  void decodesAsLongAsItGetsFaster() {
    // What a step takes in each second: in the fifth and sixth it gains too little.
    double[] millis = {250, 200, 160, 128, 125};
    int ran = rehearsal(1, () -> millis[Math.min(4, second())]).run(EPOCH);
    assertThat(ran).isEqualTo(echoes.size() + steps.size());
    assertThat(steps).hasSize(4 + 5 + 7 + 8 + 8 + 8);
  }

  @Test
  void oneQuietSecondIsNotEnough() {
    // Compiled at last: what takes half the time from the fourth second on.
    double[] millis = {250, 160, 160, 80, 80};
    rehearsal(1, () -> millis[Math.min(4, second())]).run(EPOCH);
    assertThat(second()).isBetween(6, 7);
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
    assertThat(second()).as("of which the compilers worked 6.7").isBetween(8, 9);
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
  void stepsAreThoseOfARequest() {
    rehearsal(1, () -> 9).run(EPOCH);
    assertThat(steps)
        .isNotEmpty()
        .allSatisfy(step -> {
          assertThat(step.epoch()).isEqualTo(EPOCH);
          assertThat(step.step()).as("before the first").isZero();
          SequenceChunk chunk = step.chunks().getFirst();
          assertThat(chunk.blocks()).containsExactly(0, 1, 2, 3, 4, 5, 6);
          assertThat(IntStream.of(chunk.tokens())).allMatch(id -> id >= 0 && id < VOCABULARY);
        });
    // Every position is written before a later one looks back at it.
    assertThat(decodedPositions().limit(100)).containsExactlyElementsOf(range(0, 100));
    assertThat(decodedPositions().skip(100).limit(100)).containsExactlyElementsOf(range(0, 100));
    assertThat(steps.stream().flatMapToInt(step -> IntStream.of(token(step))).distinct().count())
        .isGreaterThan(90);
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
        SETTINGS,
        VOCABULARY,
        () -> nowNanos);
  }

  private Stream<Integer> decodedPositions() {
    return steps.stream()
        .filter(step -> step.rows() == 1)
        .map(step -> step.chunks().getFirst().startPosition());
  }

  private static int token(StepBatch step) {
    return step.chunks().getFirst().tokens()[0];
  }

  private static List<Integer> range(int from, int to) {
    return IntStream.range(from, to).boxed().toList();
  }

  /** Of decoding, which begins when the echoes have taken their time. */
  private int second() {
    return (int) ((nowNanos - 2_500 * NANOS) / (1_000 * NANOS));
  }
}
