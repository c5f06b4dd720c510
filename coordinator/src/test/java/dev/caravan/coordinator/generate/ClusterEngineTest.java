package dev.caravan.coordinator.generate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.coordinator.generate.EngineObserver.Totals;
import dev.caravan.coordinator.generate.GenerationListener.End;
import dev.caravan.coordinator.generate.GenerationListener.EndReason;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ClusterEngineTest {
  @Test
  void answersSeveralRequestsAtOnce() {
    try (ClusterEngine engine = EngineRun.start(new FakeCluster(), EngineRun.settings(64, 4, 10))) {
      HeardGeneration first = submit(engine, EngineRun.greedy(3, 1, 2));
      HeardGeneration second = submit(engine, EngineRun.greedy(5, 6));
      assertThat(first.output()).containsExactly(3, 4, 5);
      assertThat(second.output()).containsExactly(7, 0, 1, 2, 3);
      assertThat(first.end()).isEqualTo(new End(EndReason.LENGTH, 2, 0, 3));
    }
  }

  @Test
  void tellsItsObserverWhatAGenerationWas() {
    List<Totals> heard = new CopyOnWriteArrayList<>();
    EngineObserver observer =
        new EngineObserver() {
          @Override
          public void onEnd(EndReason reason, Totals totals) {
            heard.add(totals);
          }
        };
    // Every look at this clock takes a nanosecond.
    AtomicLong nanos = new AtomicLong();
    try (ClusterEngine engine =
        new ClusterEngine(
            new FakeCluster(), EngineRun.settings(64, 4, 10), observer, nanos::getAndIncrement)) {
      engine.start();
      submit(engine, EngineRun.greedy(3, 1, 2)).end();
      submit(engine, EngineRun.greedy(0, 1, 2)).end();
    }
    Totals answered = heard.getFirst();
    assertThat(answered.promptTokens()).isEqualTo(2);
    assertThat(answered.cachedTokens()).isZero();
    assertThat(answered.outputTokens()).isEqualTo(3);
    assertThat(answered.firstTokenNanos()).isPositive().isLessThan(answered.nanos());
    assertThat(heard.getLast().firstTokenNanos()).isZero();
  }

  private static HeardGeneration submit(ClusterEngine engine, EngineRequest request) {
    HeardGeneration heard = new HeardGeneration();
    engine.submit(request, heard);
    return heard;
  }
}
