package dev.caravan.worker.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.caravan.model.shard.IntRange;
import dev.caravan.model.step.GumbelDraw;
import dev.caravan.model.step.LargestLogits;
import dev.caravan.model.step.RowAnswer;
import dev.caravan.model.step.RowQuery;
import dev.caravan.model.step.SequenceChunk;
import dev.caravan.worker.compute.ComputePool;
import dev.caravan.worker.tensor.Activations;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RowAnswersTest {
  private static final int FIRST_ID = 1000;
  private static final int POSITION = 9;

  private final Arena arena = Arena.ofShared();
  private final ComputePool pool = new ComputePool(3);

  @BeforeEach
  void start() {
    pool.start();
  }

  @AfterEach
  void close() {
    pool.close();
    arena.close();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 2047, 2048, 2049, 10_007})
  void answersWhatSortingAndSummingAllLogitsGives(int vocabRows) {
    float[][] logits = {random(vocabRows, 1), random(vocabRows, 2), random(vocabRows, 3)};
    int lastId = FIRST_ID + vocabRows - 1;
    RowAnswers answers =
        select(
            logits,
            new RowQuery.Largest(40, 0.5, new int[] {lastId, 3, FIRST_ID}),
            RowQuery.ALL,
            new RowQuery.Drawn(2, 11));

    RowAnswer.Candidates largest = answers.candidates(0);
    int[] expected = LargestLogits.select(logits[0], Math.min(40, vocabRows));
    assertThat(largest.ids()).hasSize(expected.length);
    for (int i = 0; i < expected.length; i++) {
      assertThat(largest.ids()[i]).isEqualTo(FIRST_ID + expected[i]);
      assertThat(largest.logits()[i]).isEqualTo(logits[0][expected[i]]);
    }
    assertThat(largest.asked()).containsExactly(logits[0][vocabRows - 1], logits[0][0]);
    assertThat(largest.mass().max()).isEqualTo(logits[0][expected[0]]);
    double sum = 0;
    for (float logit : logits[0]) {
      sum += Math.exp(((double) logit - largest.mass().max()) / 0.5);
    }
    assertThat(largest.mass().sum()).isCloseTo(sum, within(1e-12 * sum));

    for (int column = 0; column < vocabRows; column++) {
      assertThat(answers.logits().get(1, column)).isEqualTo(logits[1][column]);
    }

    GumbelDraw draw = new GumbelDraw();
    draw.start(2, 11, POSITION + 2);
    for (int i = 0; i < vocabRows; i++) {
      draw.offer(logits[2][i], FIRST_ID + i);
    }
    assertThat(answers.candidates(2).ids()).containsExactly(draw.id());
    assertThat(answers.candidates(2).logits()).containsExactly(draw.logit());
  }

  @Test
  void ofEqualLogitsTheLowestIdsAreAnswered() {
    float[] flat = new float[5000];
    flat[2100] = 1;
    RowAnswers answers = select(new float[][] {flat}, new RowQuery.Largest(4));
    assertThat(answers.candidates(0).ids())
        .containsExactly(FIRST_ID + 2100, FIRST_ID, FIRST_ID + 1, FIRST_ID + 2);
  }

  @Test
  void logitThatIsNotANumberIsAnsweredFirst() {
    for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
      float[] logits = random(5000, 4);
      logits[3000] = bad;
      for (RowQuery query : List.of(new RowQuery.Largest(2), new RowQuery.Drawn(1, 1))) {
        RowAnswer.Candidates answer = select(new float[][] {logits}, query).candidates(0);
        assertThat(answer.ids()[0]).isEqualTo(FIRST_ID + 3000);
        assertThat(Float.compare(answer.logits()[0], bad)).isZero();
      }
    }
  }

  @Test
  void logitsThatAreAllRuledOutStillGiveAnAnswer() {
    float[] none = new float[2500];
    Arrays.fill(none, Float.NEGATIVE_INFINITY);
    RowAnswers answers =
        select(
            new float[][] {none, none},
            new RowQuery.Drawn(1, 1),
            new RowQuery.Largest(0, 1, new int[0]));
    assertThat(answers.candidates(0).logits()).containsExactly(Float.NEGATIVE_INFINITY);
    assertThat(answers.candidates(1).mass().sum()).isZero();
  }

  /** Puts the rows at positions 9, 10, ... of one sequence and scans them. */
  private RowAnswers select(float[][] logits, RowQuery... queries) {
    int vocabRows = logits[0].length;
    Activations activations = new Activations(arena, logits.length, vocabRows);
    for (int row = 0; row < logits.length; row++) {
      for (int column = 0; column < vocabRows; column++) {
        activations.set(row, column, logits[row][column]);
      }
    }
    StepRows rows = new StepRows(Batches.settings(3, 8, 64), FIRST_ID + vocabRows + 10);
    rows.set(
        Batches.batch(
            1,
            new SequenceChunk(POSITION, new int[logits.length], new int[] {0}, List.of(queries))));
    RowAnswers answers =
        new RowAnswers(
            new StageKernels(pool, List.of()),
            activations,
            new IntRange(FIRST_ID, FIRST_ID + vocabRows),
            rows);
    answers.select();
    return answers;
  }

  private static float[] random(int count, long seed) {
    Random random = new Random(seed);
    float[] logits = new float[count];
    for (int i = 0; i < count; i++) {
      logits[i] = 5 * (float) random.nextGaussian();
    }
    return logits;
  }
}
