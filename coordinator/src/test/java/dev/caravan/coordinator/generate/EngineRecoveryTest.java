package dev.caravan.coordinator.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.coordinator.cluster.Recovery;
import dev.caravan.coordinator.generate.EngineStatus.State;
import dev.caravan.coordinator.generate.GenerationListener.EndReason;
import dev.caravan.coordinator.sample.SamplingParameters;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.model.step.StepBatch;
import dev.caravan.model.step.StepResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A cluster that loses a worker and comes back with empty caches. */
class EngineRecoveryTest {
  private static final int BLOCKS = 60;

  /** Fails in chosen steps, and comes back when it is let. */
  private static final class MortalCluster extends PagedCluster implements Recovery {
    final Set<Long> deadlySteps = ConcurrentHashMap.newKeySet();
    final Set<Integer> epochs = ConcurrentHashMap.newKeySet();
    boolean loseAnswers;
    volatile CompletableFuture<Void> gate = CompletableFuture.completedFuture(null);
    volatile FailureListener listener = (epoch, error) -> {};
    private int epoch = EngineRun.EPOCH;

    MortalCluster() {
      super(BLOCKS);
    }

    @Override
    public StepResult execute(StepBatch batch) {
      awaitStart();
      assertThat(batch.epoch()).isEqualTo(epoch);
      epochs.add(epoch);
      boolean dies = deadlySteps.remove(batch.step());
      if (dies && !loseAnswers) {
        throw lost();
      }
      StepResult result = super.execute(batch);
      if (dies) {
        throw lost();
      }
      return result;
    }

    @Override
    public void onFailure(FailureListener failureListener) {
      listener = failureListener;
    }

    @Override
    public CompletableFuture<Integer> recover() {
      return gate.thenApply(opened -> {
        forget();
        epoch += 2; // Epochs grow, not always by one.
        return epoch;
      });
    }

    void everyStepIsDeadly() {
      LongStream.range(1, 1000).forEach(deadlySteps::add);
    }

    static ClusterException lost() {
      return new ClusterException(ErrorCode.WORKER_LOST, "worker b was lost");
    }
  }

  private final MortalCluster cluster = new MortalCluster();

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void generationsGoOnWithTheVerySameTokens(boolean loseAnswers) {
    cluster.loseAnswers = loseAnswers;
    cluster.deadlySteps.addAll(Set.of(3L, 20L, 21L));
    List<EngineRequest> requests = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      SamplingParameters sampling = new SamplingParameters(i % 2, 0, 1, 0, 1, i);
      requests.add(EngineRun.request(40, sampling, EngineRun.prompt(i % 2, 10 + 7 * i)));
    }
    try (ClusterEngine engine = start(4)) {
      List<HeardGeneration> heard =
          requests.stream().map(request -> submitWhenServing(engine, request)).toList();
      for (int i = 0; i < requests.size(); i++) {
        assertThat(heard.get(i).output()).as("request %d", i).isEqualTo(alone(requests.get(i)));
      }
      assertThat(cluster.deadlySteps).isEmpty();
      assertThat(cluster.epochs).hasSize(4);
      assertThat(engine.status().recoveries()).isEqualTo(3);
      assertThat(engine.drain(EngineRun.HOUR)).isTrue();
      assertThat(engine.status().kvBlocksUsed()).isZero();
    }
  }

  @Test
  void whileTheClusterIsAwayNothingNewIsTakenAndTheReasonIsTold() {
    cluster.gate = new CompletableFuture<>();
    cluster.deadlySteps.add(2L);
    try (ClusterEngine engine = start(4)) {
      HeardGeneration heard = EngineRun.submit(engine, EngineRun.greedy(10, 1, 2));
      await(() -> engine.status().state() == State.RECOVERING);
      assertThatThrownBy(() -> EngineRun.submit(engine, EngineRun.greedy(3, 1)))
          .isInstanceOfSatisfying(
              ClusterException.class,
              e -> assertThat(e.code()).isEqualTo(ErrorCode.MODEL_NOT_READY))
          .hasMessageContainingAll("worker b was lost", "try again later");
      assertThat(engine.status().running()).isZero();
      assertThat(engine.status().waiting()).isEqualTo(1);
      assertThat(heard.isDone()).isFalse();
      cluster.gate.complete(null);
      assertThat(heard.output()).hasSize(10);
      assertThat(engine.status().state()).isEqualTo(State.SERVING);
    }
  }

  @Test
  void cancelsAndTimeoutsTakeEffectWhileTheClusterIsAway() {
    cluster.gate = new CompletableFuture<>();
    cluster.start = new CompletableFuture<>();
    cluster.everyStepIsDeadly();
    try (ClusterEngine engine = start(4)) {
      HeardGeneration cancelled = new HeardGeneration();
      Engine.Handle handle = engine.submit(EngineRun.greedy(200, 1, 2), cancelled);
      HeardGeneration late =
          EngineRun.submit(
              engine, EngineRun.within(EngineRun.greedy(200, 3), Duration.ofMillis(700)));
      cluster.start.complete(null);
      await(() -> engine.status().state() == State.RECOVERING);
      handle.cancel();
      assertThat(cancelled.end().reason()).isEqualTo(EndReason.CANCELLED);
      assertThat(late.error().code()).isEqualTo(ErrorCode.DEADLINE_EXCEEDED);
      cluster.gate.complete(null);
      await(() -> engine.status().state() == State.SERVING);
    }
  }

  @Test
  void failureWhileNothingRunsIsSeenAtOnce() {
    cluster.gate = new CompletableFuture<>();
    try (ClusterEngine engine = start(4)) {
      cluster.listener.failed(EngineRun.EPOCH - 1, MortalCluster.lost());
      assertThat(EngineRun.submit(engine, EngineRun.greedy(3, 1)).output()).hasSize(3);
      cluster.listener.failed(EngineRun.EPOCH, MortalCluster.lost());
      await(() -> engine.status().state() == State.RECOVERING);
      cluster.gate.complete(null);
      await(() -> engine.status().state() == State.SERVING);
      assertThat(EngineRun.submit(engine, EngineRun.greedy(3, 1)).output()).hasSize(3);
      assertThat(engine.status().recoveries()).isEqualTo(1);
    }
  }

  @Test
  void generationUnderWhichTheClusterAlwaysFailsIsGivenUp() {
    cluster.everyStepIsDeadly();
    try (ClusterEngine engine = start(4)) {
      HeardGeneration heard = EngineRun.submit(engine, EngineRun.greedy(10, 1, 2));
      assertThat(heard.error()).hasMessage("worker b was lost");
      await(() -> engine.status().recoveries() == 4);
      cluster.deadlySteps.clear();
      assertThat(EngineRun.submit(engine, EngineRun.greedy(3, 1)).output()).hasSize(3);
    }
  }

  @Test
  void drainFinishesWhatTheClusterInterrupted() {
    cluster.gate = new CompletableFuture<>();
    cluster.deadlySteps.add(2L);
    try (ClusterEngine engine = start(4)) {
      HeardGeneration heard = EngineRun.submit(engine, EngineRun.greedy(10, 1, 2));
      await(() -> engine.status().state() == State.RECOVERING);
      CompletableFuture<Boolean> drained =
          CompletableFuture.supplyAsync(() -> engine.drain(EngineRun.HOUR));
      await(() -> engine.status().state() == State.DRAINING);
      cluster.gate.complete(null);
      assertThat(heard.output()).hasSize(10);
      assertThat(drained.orTimeout(60, TimeUnit.SECONDS).join()).isTrue();
      assertThat(engine.status().state()).isEqualTo(State.DRAINING);
    }
  }

  private ClusterEngine start(int maxRunning) {
    return EngineRun.start(cluster, cluster, EngineRun.settings(BLOCKS, maxRunning, 20));
  }

  private static HeardGeneration submitWhenServing(ClusterEngine engine, EngineRequest request) {
    while (true) {
      try {
        return EngineRun.submit(engine, request);
      } catch (ClusterException e) {
        assertThat(e.code()).isEqualTo(ErrorCode.MODEL_NOT_READY);
        await(() -> engine.status().state() == State.SERVING);
      }
    }
  }

  private static List<Integer> alone(EngineRequest request) {
    try (ClusterEngine engine =
        EngineRun.start(new PagedCluster(BLOCKS), EngineRun.settings(BLOCKS, 1, 1))) {
      return EngineRun.submit(engine, request).output();
    }
  }

  private static void await(BooleanSupplier condition) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("the deadline").isLessThan(deadline);
      Thread.yield();
    }
  }
}
