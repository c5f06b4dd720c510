package dev.caravan.coordinator.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.caravan.coordinator.generate.GenerationListener.EndReason;
import dev.caravan.coordinator.sample.SamplingParameters;
import dev.caravan.coordinator.schedule.BlockAllocator;
import dev.caravan.coordinator.schedule.Scheduler;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.model.step.StepBatch;
import dev.caravan.model.step.StepResult;
import dev.caravan.model.step.StepResult.WorkerTimes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class GenerationTest {
  private static final int EPOCH = 3;
  private static final int CONTEXT = 32;
  private static final long MILLISECOND = 1_000_000;

  private final FakeCluster cluster = new FakeCluster();
  private final BlockAllocator allocator = new BlockAllocator(8);
  private final GenerationLoop loop =
      new GenerationLoop(new Scheduler(allocator, 4, 4), cluster, CONTEXT, EPOCH);
  private final List<Integer> heard = new ArrayList<>();
  private final AtomicLong nanos = new AtomicLong();

  @Test
  void stopsAtAnEndTokenWhichIsTheLastOutput() {
    Generation generation = run(new int[] {1, 2}, 20, Set.of(5, 6));
    assertThat(generation.outputIds()).containsExactly(3, 4, 5);
    assertThat(generation.finishReason()).isEqualTo(EndReason.STOP);
    assertThat(heard).containsExactly(3, 4, 5);
  }

  @Test
  void stopsAtTheWantedLength() {
    Generation generation = run(new int[] {1, 2}, 2, Set.of(5));
    assertThat(generation.outputIds()).containsExactly(3, 4);
    assertThat(generation.finishReason()).isEqualTo(EndReason.LENGTH);
  }

  @Test
  void endTokenAsTheLastWantedTokenIsAStop() {
    assertThat(run(new int[] {1, 2}, 3, Set.of(5)).finishReason()).isEqualTo(EndReason.STOP);
  }

  @Test
  void goesOnAfterAnEndTokenThatIsIgnored() {
    assertThat(run(new int[] {1}, 12, Set.of()).outputIds())
        .containsExactly(2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5);
  }

  @Test
  void fillsTheContextToItsLastPosition() {
    Generation generation = run(new int[CONTEXT - 3], 100, Set.of());
    // 3 more tokens are computed, and the logits of the last one still give a token.
    assertThat(generation.outputIds()).hasSize(4);
    assertThat(generation.finishReason()).isEqualTo(EndReason.LENGTH);
    assertThat(loop.rows()).isEqualTo(CONTEXT);
  }

  @Test
  void promptThatFillsTheContextGivesOneToken() {
    assertThat(run(new int[CONTEXT], 100, Set.of()).outputIds()).hasSize(1);
  }

  @Test
  void promptLongerThanTheContextIsRefusedWithBothNumbers() {
    assertThatThrownBy(() -> run(new int[CONTEXT + 1], 1, Set.of()))
        .isInstanceOfSatisfying(
            ClusterException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.CONTEXT_TOO_LONG))
        .hasMessageContainingAll("33 tokens", "context holds 32");
    assertThat(cluster.batches).isEmpty();
  }

  @Test
  void stepsStrictlyIncreaseInsideTheEpoch() {
    run(new int[] {1, 2, 3, 4, 5, 6}, 3, Set.of());
    run(new int[] {1}, 2, Set.of());
    assertThat(cluster.batches).extracting(StepBatch::step).containsExactly(1L, 2L, 3L, 4L, 5L, 6L);
    assertThat(cluster.batches).extracting(StepBatch::epoch).containsOnly(EPOCH);
  }

  @Test
  void countsRowsAndBytesBetweenWorkers() {
    run(new int[] {1, 2, 3, 4, 5, 6}, 3, Set.of());
    assertThat(loop.rows()).isEqualTo(8);
    assertThat(loop.syncBytes()).isEqualTo(8L * FakeCluster.SYNC_BYTES_PER_ROW);
  }

  @Test
  void recallsAllLogitsWhereTheAnswerHoldsTooFew() {
    cluster.answersFew = true;
    assertThat(run(new int[] {1, 2}, 3, Set.of()).outputIds()).containsExactly(3, 4, 5);
    assertThat(cluster.recalls).isEqualTo(3);
  }

  @Test
  void keepsWhatEachWorkerSpent() {
    run(new int[] {1, 2, 3, 4, 5, 6}, 3, Set.of());
    StepTimes times = loop.times();
    assertThat(times.steps()).isEqualTo(4);
    assertThat(times.totals()).containsExactly(new WorkerTimes(12, 8, 4, 80));
    assertThat(times.last()).containsExactly(new WorkerTimes(3, 2, 1, 10));
    assertThat(times.medians()).containsExactly(new WorkerTimes(3, 2, 1, 20));
    times.clear();
    assertThat(times.totals()).isEmpty();
    assertThat(times.medians()).isEmpty();
  }

  @Test
  void givesAllBlocksBackWhenAStepFails() {
    GenerationLoop failing =
        new GenerationLoop(
            new Scheduler(allocator, 4, 4),
            new FakeCluster() {
              @Override
              public StepResult execute(StepBatch batch) {
                throw new ClusterException(ErrorCode.WORKER_LOST, "gone");
              }
            },
            CONTEXT,
            EPOCH);
    Generation generation = generation(new int[] {1}, 3, Set.of());
    assertThatThrownBy(() -> failing.run(generation.sequence())).hasMessage("gone");
    assertThat(allocator.freeBlocks()).isEqualTo(8);
    assertThat(failing.isIdle()).isTrue();
  }

  @Test
  void measuresTimeToFirstTokenAndTheRateOfTheOthers() {
    Generation generation = generation(new int[] {1, 2}, 3, Set.of());
    Scheduler scheduler = new Scheduler(allocator, 4, 4);
    GenerationLoop slow =
        new GenerationLoop(
            scheduler,
            new FakeCluster() {
              @Override
              public StepResult execute(StepBatch batch) {
                nanos.addAndGet(batch.step() == 1 ? 200 * MILLISECOND : 50 * MILLISECOND);
                return super.execute(batch);
              }
            },
            CONTEXT,
            EPOCH);
    slow.run(generation.sequence());
    assertThat(generation.timeToFirstTokenMillis()).isEqualTo(200);
    assertThat(generation.prefillTokensPerSecond()).isCloseTo(10, within(1e-9));
    assertThat(generation.decodeTokensPerSecond()).isCloseTo(20, within(1e-9));
  }

  @Test
  void rateOfASingleTokenIsZeroAndNotInfinite() {
    assertThat(run(new int[] {1}, 1, Set.of()).decodeTokensPerSecond()).isZero();
  }

  private Generation run(int[] prompt, int maxTokens, Set<Integer> endIds) {
    Generation generation = generation(prompt, maxTokens, endIds);
    loop.run(generation.sequence());
    return generation;
  }

  private Generation generation(int[] prompt, int maxTokens, Set<Integer> endIds) {
    SamplingParameters greedy = new SamplingParameters(0, 0, 1, 0, 1, 1);
    return new Generation(
        new Generation.Request(prompt, maxTokens, CONTEXT, endIds, greedy), heard::add, nanos::get);
  }
}
