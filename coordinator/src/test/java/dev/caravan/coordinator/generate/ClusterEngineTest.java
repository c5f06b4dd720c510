package dev.caravan.coordinator.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.coordinator.cluster.Recovery;
import dev.caravan.coordinator.generate.EngineStatus.State;
import dev.caravan.coordinator.generate.GenerationListener.End;
import dev.caravan.coordinator.generate.GenerationListener.EndReason;
import dev.caravan.coordinator.sample.LogitAdjustments;
import dev.caravan.coordinator.sample.SamplingParameters;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.model.step.StepBatch;
import dev.caravan.model.step.StepResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

class ClusterEngineTest {
  private static final int BLOCKS = 40;

  /** Runs as many steps as it is let. */
  private static final class GatedCluster extends PagedCluster {
    final Semaphore steps = new Semaphore(0);

    GatedCluster() {
      super(BLOCKS);
    }

    @Override
    public StepResult execute(StepBatch batch) {
      try {
        if (!steps.tryAcquire(60, TimeUnit.SECONDS)) {
          throw new AssertionError("nobody lets the step run");
        }
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
      return super.execute(batch);
    }

    void open() {
      steps.release(1_000_000);
    }
  }

  private final GatedCluster cluster = new GatedCluster();

  @Test
  void answersSeveralRequestsAtOnceAndSleepsInBetween() {
    cluster.open();
    try (ClusterEngine engine = start(4, 10)) {
      for (int round = 0; round < 2; round++) {
        HeardGeneration first = EngineRun.submit(engine, EngineRun.greedy(3, 1, 2));
        HeardGeneration second = EngineRun.submit(engine, EngineRun.greedy(5, 6));
        assertThat(first.output()).hasSize(3);
        assertThat(second.output()).hasSize(5);
        assertThat(first.end()).isEqualTo(new End(EndReason.LENGTH, 2, 0, 3));
        awaitIdle(engine);
        assertThat(cluster.steps.availablePermits()).isLessThan(1_000_000);
      }
    }
  }

  @Test
  void fullQueueRefusesWithTheNumbersAndLosesNobody() {
    try (ClusterEngine engine = start(2, 3)) {
      List<HeardGeneration> accepted = new ArrayList<>();
      int refused = 0;
      for (int i = 0; i < 20; i++) {
        try {
          accepted.add(EngineRun.submit(engine, EngineRun.greedy(3, i)));
        } catch (ClusterException e) {
          assertThat(e.code()).isEqualTo(ErrorCode.OVERLOADED);
          assertThat(e).hasMessageContainingAll("wait", "try again later");
          refused++;
        }
      }
      assertThat(accepted).hasSize(5);
      assertThat(refused).isEqualTo(15);
      assertThat(engine.status().running() + engine.status().waiting()).isEqualTo(5);
      cluster.steps.release(1);
      await(() -> engine.status().running() == 2);
      assertThat(engine.status().waiting()).isEqualTo(3);
      assertRefused(
          ErrorCode.OVERLOADED,
          () -> EngineRun.submit(engine, EngineRun.greedy(3, 1)),
          "2 generations run and 3 wait");
      cluster.open();
      accepted.forEach(one -> assertThat(one.output()).hasSize(3));
      awaitIdle(engine);
      assertThat(EngineRun.submit(engine, EngineRun.greedy(3, 1)).output()).hasSize(3);
    }
  }

  @Test
  void cancelTakesEffectAfterTheCurrentStep() {
    try (ClusterEngine engine = start(2, 3)) {
      HeardGeneration heard = new HeardGeneration();
      Engine.Handle handle = engine.submit(EngineRun.greedy(200, 1, 2), heard);
      cluster.steps.release(3);
      heard.awaitFirstToken();
      handle.cancel();
      cluster.steps.release(3);
      assertThat(heard.end().reason()).isEqualTo(EndReason.CANCELLED);
      assertThat(heard.ids().size()).isLessThanOrEqualTo(4);
      awaitIdle(engine);
      assertThat(engine.status().kvBlocksUsed()).isZero();
    }
  }

  @Test
  void drainFinishesWhatWasAcceptedAndRefusesTheRest() {
    try (ClusterEngine engine = start(1, 3)) {
      HeardGeneration running = EngineRun.submit(engine, EngineRun.greedy(3, 1));
      HeardGeneration waiting = EngineRun.submit(engine, EngineRun.greedy(3, 2));
      assertThat(engine.drain(Duration.ZERO)).isFalse();
      assertThat(engine.status().state()).isEqualTo(State.DRAINING);
      assertRefused(
          ErrorCode.MODEL_NOT_READY,
          () -> EngineRun.submit(engine, EngineRun.greedy(3, 1)),
          "only finishes what it runs");
      CompletableFuture<Boolean> drained =
          CompletableFuture.supplyAsync(() -> engine.drain(EngineRun.HOUR));
      cluster.open();
      assertThat(drained.orTimeout(60, TimeUnit.SECONDS).join()).isTrue();
      assertThat(running.output()).hasSize(3);
      assertThat(waiting.output()).hasSize(3);
    }
  }

  @Test
  void lostWorkerFailsAllAndDegradesTheEngine() {
    StepFailure failing = new StepFailure(new ClusterException(ErrorCode.WORKER_LOST, "w1 gone"));
    try (ClusterEngine engine = EngineRun.start(failing, EngineRun.settings(BLOCKS, 2, 10))) {
      List<HeardGeneration> heard = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        heard.add(EngineRun.submit(engine, EngineRun.greedy(50, i)));
      }
      failing.steps.release(5);
      for (HeardGeneration one : heard) {
        assertThat(one.error().code()).isEqualTo(ErrorCode.WORKER_LOST);
      }
      awaitIdle(engine);
      assertThat(engine.status().state()).isEqualTo(State.DEGRADED);
      assertThat(engine.status().kvBlocksUsed()).isZero();
      assertRefused(
          ErrorCode.MODEL_NOT_READY,
          () -> EngineRun.submit(engine, EngineRun.greedy(3, 1)),
          "the engine failed");
      assertThat(engine.drain(EngineRun.HOUR)).isTrue();
    }
  }

  @Test
  void defectOfTheExecutorIsTheEndOfAllToo() {
    StepFailure failing = new StepFailure(new IllegalStateException("oops"));
    try (ClusterEngine engine = EngineRun.start(failing, EngineRun.settings(BLOCKS, 2, 10))) {
      HeardGeneration heard = EngineRun.submit(engine, EngineRun.greedy(50, 1));
      failing.steps.release(5);
      assertThat(heard.error().code()).isEqualTo(ErrorCode.INTERNAL);
    }
  }

  @Test
  void errorThatEndsTheThreadLeavesNobodyWaiting() {
    PagedCluster broken =
        new PagedCluster(BLOCKS) {
          @Override
          public StepResult execute(StepBatch batch) {
            throw new AssertionError("meant: ends the engine's thread");
          }
        };
    try (ClusterEngine engine = EngineRun.start(broken, EngineRun.settings(BLOCKS, 1, 10))) {
      HeardGeneration heard = EngineRun.submit(engine, EngineRun.greedy(5, 1));
      assertThat(heard.error().code()).isEqualTo(ErrorCode.MODEL_NOT_READY);
      await(() -> engine.status().state() == State.STOPPED);
      assertRefused(
          ErrorCode.MODEL_NOT_READY,
          () -> EngineRun.submit(engine, EngineRun.greedy(3, 1)),
          "does not run");
    }
  }

  /** Fails in the fifth step. */
  private static final class StepFailure extends PagedCluster {
    final Semaphore steps = new Semaphore(0);
    private final RuntimeException failure;

    StepFailure(RuntimeException failure) {
      super(BLOCKS);
      this.failure = failure;
    }

    @Override
    public StepResult execute(StepBatch batch) {
      steps.acquireUninterruptibly();
      if (batch.step() == 5) {
        throw failure;
      }
      return super.execute(batch);
    }
  }

  @Test
  void closeFailsWhatStillRuns() {
    ClusterEngine engine = start(1, 3);
    HeardGeneration running = EngineRun.submit(engine, EngineRun.greedy(200, 1));
    HeardGeneration waiting = EngineRun.submit(engine, EngineRun.greedy(3, 2));
    cluster.steps.release(1);
    running.awaitFirstToken();
    CompletableFuture<Void> closed = CompletableFuture.runAsync(engine::close);
    await(() -> engine.status().state() == State.STOPPED);
    cluster.open();
    closed.orTimeout(60, TimeUnit.SECONDS).join();
    assertThat(running.error().code()).isEqualTo(ErrorCode.MODEL_NOT_READY);
    assertThat(waiting.error().code()).isEqualTo(ErrorCode.MODEL_NOT_READY);
    engine.close();
    assertRefused(
        ErrorCode.MODEL_NOT_READY,
        () -> EngineRun.submit(engine, EngineRun.greedy(3, 1)),
        "does not run");
  }

  @Test
  void refusesWhatCanNeverRun() {
    cluster.open();
    try (ClusterEngine engine = start(2, 3)) {
      assertInvalid(engine, EngineRun.greedy(1), "no token");
      assertInvalid(engine, EngineRun.greedy(-1, 1), "max_tokens is -1");
      assertInvalid(engine, EngineRun.greedy(1, 100), "token 100", "has 100");
      assertInvalid(engine, EngineRun.greedy(1, -1), "token -1");
      assertInvalid(
          engine, EngineRun.withLogprobs(EngineRun.greedy(1, 1), 21, false), "top_logprobs is 21");
      SamplingParameters biased =
          SamplingParameters.greedy().with(new LogitAdjustments(0, 0, Map.of(100, 1.0)));
      assertInvalid(engine, EngineRun.request(1, biased, 1), "logit_bias", "token 100");
      assertRefused(
          ErrorCode.CONTEXT_TOO_LONG,
          () -> EngineRun.submit(engine, EngineRun.greedy(1, EngineRun.prompt(0, 257))),
          "257 tokens",
          "holds 256");
    }
  }

  @Test
  void contextEndsWhereTheKvBlocksEnd() {
    PagedCluster small = new PagedCluster(2);
    try (ClusterEngine engine = EngineRun.start(small, EngineRun.settings(2, 2, 3))) {
      assertRefused(
          ErrorCode.CONTEXT_TOO_LONG,
          () -> EngineRun.submit(engine, EngineRun.greedy(1, EngineRun.prompt(0, 33))),
          "holds 32");
      HeardGeneration first = EngineRun.submit(engine, EngineRun.greedy(100, 1, 2));
      HeardGeneration second = EngineRun.submit(engine, EngineRun.greedy(100, 3, 4));
      assertThat(first.output()).hasSize(31);
      assertThat(second.output()).hasSize(31);
      assertThat(second.end().reason()).isEqualTo(EndReason.LENGTH);
    }
  }

  @Test
  void observerThatFailsDisturbsNobody() {
    cluster.open();
    EngineObserver broken =
        new EngineObserver() {
          @Override
          public void onQueued() {
            throw new IllegalStateException("queued");
          }

          @Override
          public void onStep(StepReport step) {
            throw new IllegalStateException("step");
          }
        };
    try (ClusterEngine engine =
        new ClusterEngine(cluster, Recovery.NONE, EngineRun.settings(BLOCKS, 1, 1), broken)) {
      engine.start(EngineRun.EPOCH);
      assertThat(EngineRun.submit(engine, EngineRun.greedy(3, 1)).output()).hasSize(3);
    }
  }

  private ClusterEngine start(int maxRunning, int maxWaiting) {
    return EngineRun.start(cluster, EngineRun.settings(BLOCKS, maxRunning, maxWaiting));
  }

  private static void awaitIdle(ClusterEngine engine) {
    await(() -> engine.status().running() + engine.status().waiting() == 0);
  }

  private static void await(BooleanSupplier condition) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("now, against the deadline").isLessThan(deadline);
      Thread.yield();
    }
  }

  private static void assertInvalid(Engine engine, EngineRequest request, String... parts) {
    assertRefused(ErrorCode.INVALID_REQUEST, () -> EngineRun.submit(engine, request), parts);
  }

  private static void assertRefused(ErrorCode code, ThrowingCallable call, String... parts) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            ClusterException.class,
            e -> {
              assertThat(e.code()).isEqualTo(code);
              assertThat(e.getMessage()).contains(parts);
            });
  }
}
