package dev.caravan.coordinator.generate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.coordinator.generate.GenerationListener.End;
import dev.caravan.coordinator.generate.GenerationListener.EndReason;
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

  private static HeardGeneration submit(ClusterEngine engine, EngineRequest request) {
    HeardGeneration heard = new HeardGeneration();
    engine.submit(request, heard);
    return heard;
  }
}
