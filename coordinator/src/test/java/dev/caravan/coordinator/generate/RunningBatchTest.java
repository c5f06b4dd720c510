package dev.caravan.coordinator.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.caravan.coordinator.generate.GenerationListener.EndReason;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The engine's steps, one by one on this thread. */
class RunningBatchTest {
  private static final int BLOCKS = 12;

  private final PagedCluster cluster = new PagedCluster(BLOCKS);
  private final AtomicLong nanos = new AtomicLong();
  private final RecordedEvents events = new RecordedEvents();
  private final RunningBatch batch =
      new RunningBatch(cluster, EngineRun.settings(BLOCKS, 4, 100), events, nanos::get);

  @Test
  void cancelledGenerationHasItsBlocksFreedBeforeTheNextStep() {
    HeardGeneration heard = new HeardGeneration();
    EngineTask task = add(EngineRun.greedy(100, EngineRun.prompt(0, 20)), heard);
    step();
    assertThat(used()).isEqualTo(2);
    task.cancel();
    batch.endStale();
    assertThat(used()).isZero();
    assertThat(heard.end().reason()).isEqualTo(EndReason.CANCELLED);
    assertThat(batch.isEmpty()).isTrue();
    task.cancel();
    batch.endStale();
    assertThat(events.heard).containsExactly("started 0", "CANCELLED 20+0");
  }

  @Test
  void waitingGenerationCanBeCancelled() {
    List<HeardGeneration> heard = addMany(5, 30);
    HeardGeneration last = new HeardGeneration();
    EngineTask task = add(EngineRun.greedy(3, 1), last);
    step();
    assertThat(status().waiting()).isEqualTo(2);
    task.cancel();
    batch.endStale();
    assertThat(last.end().outputTokens()).isZero();
    assertThat(status().waiting()).isEqualTo(1);
    assertThat(heard.get(4).isDone()).isFalse();
  }

  @Test
  void deadlineEndsWaitingAndRunningGenerations() {
    List<HeardGeneration> running = addMany(4, 100);
    Duration second = Duration.ofSeconds(1);
    HeardGeneration waiting = new HeardGeneration();
    add(EngineRun.within(EngineRun.greedy(3, 1), second), waiting);
    HeardGeneration cut = new HeardGeneration();
    add(EngineRun.within(EngineRun.greedy(3, 2), second.plusNanos(1)), cut);
    step();
    nanos.set(second.toNanos());
    batch.endStale();
    assertThat(waiting.error().code()).isEqualTo(ErrorCode.DEADLINE_EXCEEDED);
    assertThat(waiting.error()).hasMessageContaining("1000 ms");
    assertThat(cut.isDone()).isFalse();
    nanos.incrementAndGet();
    batch.endStale();
    assertThat(cut.error().code()).isEqualTo(ErrorCode.DEADLINE_EXCEEDED);
    assertThat(running.getFirst().isDone()).isFalse();
  }

  @Test
  void timeoutOfAnyLengthIsBearable() {
    HeardGeneration heard = new HeardGeneration();
    add(EngineRun.within(EngineRun.greedy(1, 1), Duration.ofSeconds(Long.MAX_VALUE)), heard);
    runAll();
    assertThat(heard.output()).hasSize(1);
  }

  @Test
  void youngestIsPreemptedAndItsListenerHearsNothingOfIt() {
    List<HeardGeneration> heard = addMany(4, 100);
    while (status().preemptions() == 0) {
      step();
    }
    int oldest = heard.getFirst().ids().size();
    int youngest = heard.getLast().ids().size();
    for (int i = 0; i < 5; i++) {
      step();
    }
    assertThat(heard.getFirst().ids()).hasSize(oldest + 5);
    assertThat(heard.getLast().ids()).hasSize(youngest);
    runAll();
    assertThat(heard).allSatisfy(one -> assertThat(one.output()).hasSize(100));
    assertThat(events.heard.stream().filter("preempted"::equals).count())
        .isEqualTo(status().preemptions());
    assertThat(events.heard.stream().filter("started 0"::equals)).hasSize(4);
  }

  @Test
  void listenerThatFailsEndsItsOwnGenerationOnly() {
    HeardGeneration broken =
        new HeardGeneration() {
          @Override
          public boolean onToken(int id, @Nullable TokenLogprobs logprobs) {
            throw new IllegalStateException("no");
          }
        };
    HeardGeneration fine = new HeardGeneration();
    add(EngineRun.greedy(3, 1), broken);
    add(EngineRun.greedy(3, 1), fine);
    runAll();
    assertThat(broken.error().code()).isEqualTo(ErrorCode.INTERNAL);
    assertThat(fine.output()).hasSize(3);
    assertThat(used()).isZero();
  }

  @Test
  void listenerThatFailsAtTheEndFailsNothing() {
    add(
        EngineRun.greedy(1, 1),
        new HeardGeneration() {
          @Override
          public void onEnd(End end) {
            throw new IllegalStateException("no");
          }
        });
    runAll();
    assertThat(batch.isEmpty()).isTrue();
  }

  @Test
  void listenerThatHasEnoughEndsTheGenerationWithStop() {
    HeardGeneration heard =
        new HeardGeneration() {
          @Override
          public boolean onToken(int id, @Nullable TokenLogprobs logprobs) {
            super.onToken(id, logprobs);
            return ids().size() < 3;
          }
        };
    add(EngineRun.greedy(10, 1), heard);
    runAll();
    assertThat(heard.output()).hasSize(3);
    assertThat(heard.end().reason()).isEqualTo(EndReason.STOP);
  }

  @Test
  void failureOfTheClusterEndsAllWithThatError() {
    List<HeardGeneration> heard = addMany(6, 20);
    step();
    batch.fail(new ClusterException(ErrorCode.WORKER_LOST, "gone"));
    assertThat(heard).allSatisfy(one -> assertThat(one.error()).hasMessage("gone"));
    assertThat(used()).isZero();
    assertThat(batch.isEmpty()).isTrue();
  }

  @Test
  void lastIdOfAPromptIsAlwaysComputed() {
    for (int length : new int[] {32, 33}) {
      int[] prompt = EngineRun.prompt(length, length);
      add(EngineRun.greedy(1, prompt), new HeardGeneration());
      runAll();
      int before = cluster.rows;
      HeardGeneration again = new HeardGeneration();
      add(EngineRun.greedy(1, prompt), again);
      runAll();
      assertThat(again.end().cachedTokens()).isEqualTo(length - 1 - (length - 1) % 16);
      assertThat(cluster.rows - before).isEqualTo(length - again.end().cachedTokens());
    }
  }

  @Test
  void countsWhatThePrefixCacheSaved() {
    int[] prompt = EngineRun.prompt(0, 40);
    for (int i = 0; i < 2; i++) {
      add(EngineRun.greedy(3, prompt), new HeardGeneration());
      runAll();
    }
    assertThat(status().prefixQueriedTokens()).isEqualTo(80);
    assertThat(status().prefixHitTokens()).isEqualTo(32);
    assertThat(status().promptTokens()).isEqualTo(48);
    assertThat(status().generatedTokens()).isEqualTo(6);
    assertThat(status().kvBlocksCached()).isEqualTo(2);
    assertThat(status().kvBlocksTotal()).isEqualTo(BLOCKS);
  }

  @Test
  void runningGenerationsShareTheirBlocks() {
    int[] prompt = EngineRun.prompt(0, 40);
    add(EngineRun.greedy(20, prompt), new HeardGeneration());
    for (int i = 0; i < 4; i++) {
      step();
    }
    add(EngineRun.greedy(20, prompt), new HeardGeneration());
    step();
    assertThat(status().running()).isEqualTo(2);
    assertThat(used()).isEqualTo(4);
    runAll();
    assertThat(used()).isZero();
  }

  @Test
  void promptWhoseProbabilitiesAreWantedIsComputedAsAWhole() {
    int[] prompt = EngineRun.prompt(0, 40);
    add(EngineRun.greedy(1, prompt), new HeardGeneration());
    runAll();
    HeardGeneration heard = new HeardGeneration();
    add(EngineRun.withLogprobs(EngineRun.greedy(2, prompt), 3, true), heard);
    runAll();
    assertThat(heard.end().cachedTokens()).isZero();
    assertThat(heard.prompts.getFirst())
        .extracting(TokenLogprobs::id)
        .containsExactlyElementsOf(IntStream.range(1, 40).boxed().toList());
    assertThat(heard.logprobs).hasSize(2);
  }

  @Test
  void promptIsScoredOnceThoughItIsPreempted() {
    HeardGeneration first = new HeardGeneration();
    add(EngineRun.greedy(150, EngineRun.prompt(0, 8)), first);
    for (int i = 0; i < 18; i++) {
      step();
    }
    HeardGeneration scored = new HeardGeneration();
    int[] prompt = EngineRun.prompt(3, 130);
    add(EngineRun.withLogprobs(EngineRun.greedy(30, prompt), 2, true), scored);
    runAll();
    assertThat(status().preemptions()).isPositive();
    assertThat(scored.prompts).hasSize(1);
    assertThat(scored.prompts.getFirst()).hasSize(129);
    assertThat(scored.output()).hasSize(30);
    assertThat(first.output()).hasSize(150);
  }

  @Test
  void requestWithoutOutputOnlyScoresItsPrompt() {
    HeardGeneration heard = new HeardGeneration();
    add(EngineRun.withLogprobs(EngineRun.greedy(0, 1, 2, 3), 0, true), heard);
    runAll();
    assertThat(heard.prompts.getFirst()).extracting(TokenLogprobs::id).containsExactly(2, 3);
    assertThat(heard.end().reason()).isEqualTo(EndReason.LENGTH);
    assertThat(heard.output()).isEmpty();
  }

  @Test
  void observerHearsTheLifeOfAGeneration() {
    HeardGeneration heard =
        new HeardGeneration() {
          @Override
          public boolean onToken(int id, @Nullable TokenLogprobs logprobs) {
            nanos.addAndGet(5);
            return super.onToken(id, logprobs);
          }
        };
    add(EngineRun.greedy(2, 1, 2), heard);
    nanos.set(100);
    runAll();
    assertThat(events.heard).containsExactly("started 100", "first 100", "next 5", "LENGTH 2+2");
    assertThat(events.steps)
        .extracting(StepReport::promptRows, StepReport::decodeRows)
        .containsExactly(tuple(2, 0), tuple(0, 1));
  }

  private static final class RecordedEvents implements EngineObserver {
    final List<String> heard = new ArrayList<>();
    final List<StepReport> steps = new ArrayList<>();

    @Override
    public void onStarted(long nanosSinceSubmit) {
      heard.add("started " + nanosSinceSubmit);
    }

    @Override
    public void onFirstToken(long nanosSinceSubmit) {
      heard.add("first " + nanosSinceSubmit);
    }

    @Override
    public void onNextToken(long nanosSincePrevious) {
      heard.add("next " + nanosSincePrevious);
    }

    @Override
    public void onPreempted() {
      heard.add("preempted");
    }

    @Override
    public void onEnd(EndReason reason, Totals totals) {
      heard.add(reason + " " + totals.promptTokens() + "+" + totals.outputTokens());
    }

    @Override
    public void onStep(StepReport step) {
      steps.add(step);
    }
  }

  private EngineTask add(EngineRequest request, GenerationListener listener) {
    EngineTask task = batch.newTask(request, listener);
    batch.add(task);
    return task;
  }

  /** Different prompts of one token. */
  private List<HeardGeneration> addMany(int count, int maxTokens) {
    List<HeardGeneration> heard = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      heard.add(new HeardGeneration());
      add(EngineRun.greedy(maxTokens, 50 + i), heard.getLast());
    }
    return heard;
  }

  private void step() {
    batch.endStale();
    batch.begin();
    batch.step();
  }

  private void runAll() {
    while (!batch.isEmpty()) {
      step();
    }
  }

  private int used() {
    return status().kvBlocksUsed();
  }

  private EngineStatus status() {
    return batch.status(EngineStatus.State.SERVING);
  }
}
