package dev.caravan.coordinator.generate;

import dev.caravan.coordinator.cluster.Recovery;
import dev.caravan.coordinator.cluster.StepExecutor;
import dev.caravan.coordinator.sample.SamplingParameters;
import dev.caravan.model.step.RuntimeSettings;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/** Settings and requests of engines in tests. */
final class EngineRun {
  static final int EPOCH = 3;
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
    return new EngineSettings(runtime, PagedCluster.VOCABULARY, maxRunning, maxWaiting);
  }

  /** On a cluster that does not come back. */
  static ClusterEngine start(StepExecutor executor, EngineSettings settings) {
    return start(executor, Recovery.NONE, settings);
  }

  static ClusterEngine start(StepExecutor executor, Recovery recovery, EngineSettings settings) {
    ClusterEngine engine = new ClusterEngine(executor, recovery, settings, EngineObserver.NONE);
    engine.start(EPOCH);
    return engine;
  }

  static HeardGeneration submit(Engine engine, EngineRequest request) {
    HeardGeneration heard = new HeardGeneration();
    engine.submit(request, heard);
    return heard;
  }

  /** Ids from first on. */
  static int[] prompt(int first, int length) {
    return IntStream.range(first, first + length).map(id -> id % PagedCluster.VOCABULARY).toArray();
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

  static EngineRequest withLogprobs(EngineRequest request, int top, boolean ofPrompt) {
    return new EngineRequest(
        request.prompt(),
        request.maxTokens(),
        request.endIds(),
        request.sampling(),
        top,
        ofPrompt,
        request.constraint(),
        request.timeout());
  }

  static EngineRequest within(EngineRequest request, Duration timeout) {
    return new EngineRequest(
        request.prompt(),
        request.maxTokens(),
        request.endIds(),
        request.sampling(),
        request.topLogprobs(),
        request.promptLogprobs(),
        request.constraint(),
        timeout);
  }
}
