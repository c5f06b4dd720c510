package dev.caravan.coordinator.generate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.coordinator.cluster.Recovery;
import dev.caravan.coordinator.generate.EngineObserver.Totals;
import dev.caravan.coordinator.generate.GenerationListener.EndReason;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

class EngineObserverTest {

  @Test
  void hearsWhatAGenerationWas() {
    List<Totals> heard = new CopyOnWriteArrayList<>();
    EngineObserver observer =
        new EngineObserver() {
          @Override
          public void onEnd(EndReason reason, Totals totals) {
            heard.add(totals);
          }
        };
    int[] prompt = EngineRun.prompt(0, 40);
    try (ClusterEngine engine =
        new ClusterEngine(
            new PagedCluster(64), Recovery.NONE, EngineRun.settings(64, 4, 10), observer)) {
      engine.start(EngineRun.EPOCH);
      EngineRun.submit(engine, EngineRun.greedy(3, prompt)).end();
      EngineRun.submit(engine, EngineRun.greedy(3, prompt)).end();
      EngineRun.submit(engine, EngineRun.greedy(0, prompt)).end();
    }
    assertThat(heard).extracting(Totals::promptTokens).containsExactly(40, 40, 40);
    assertThat(heard).extracting(Totals::cachedTokens).containsExactly(0, 32, 32);
    assertThat(heard).extracting(Totals::outputTokens).containsExactly(3, 3, 0);
    assertThat(heard.getFirst().firstTokenNanos())
        .isPositive()
        .isLessThan(heard.getFirst().nanos());
    assertThat(heard.getLast().firstTokenNanos()).isZero();
  }
}
