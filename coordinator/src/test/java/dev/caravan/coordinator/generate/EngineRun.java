package dev.caravan.coordinator.generate;

import dev.caravan.coordinator.cluster.StepExecutor;
import dev.caravan.coordinator.sample.SamplingParameters;
import dev.caravan.model.step.RuntimeSettings;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;

/** Settings and requests of engines in tests. */
final class EngineRun {
  static final int CONTEXT = 256;
  static final Duration HOUR = Duration.ofHours(1);

  private EngineRun() {}

  /** Steps of at most 16 rows. */
  static EngineSettings settings(int kvBlocks, int maxRunning, int maxWaiting) {
    RuntimeSettings runtime =
        new RuntimeSettings(
            1,
            RuntimeSettings.Kernels.SCALAR,
            RuntimeSettings.Activations.F32,
            RuntimeSettings.KvType.F32,
            RuntimeSettings.Sync.F32,
            RuntimeSettings.Collective.DIRECT,
            16,
            kvBlocks,
            CONTEXT,
            false,
            30_000);
    return new EngineSettings(runtime, FakeCluster.VOCABULARY, 3, maxRunning, maxWaiting);
  }

  static ClusterEngine start(StepExecutor executor, EngineSettings settings) {
    return start(executor, settings, System::nanoTime);
  }

  static ClusterEngine start(
      StepExecutor executor, EngineSettings settings, LongSupplier nanoClock) {
    ClusterEngine engine = new ClusterEngine(executor, settings, EngineObserver.NONE, nanoClock);
    engine.start();
    return engine;
  }

  static EngineRequest greedy(int maxTokens, int... prompt) {
    return request(maxTokens, SamplingParameters.greedy(), prompt);
  }

  static EngineRequest request(int maxTokens, SamplingParameters sampling, int... prompt) {
    return new EngineRequest(
        prompt,
        maxTokens,
        Set.of(),
        sampling,
        EngineRequest.NO_LOGPROBS,
        false,
        Optional.empty(),
        HOUR);
  }
}
