package dev.caravan.bench.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.coordinator.cluster.Recovery;
import dev.caravan.coordinator.generate.ClusterEngine;
import dev.caravan.coordinator.generate.EngineObserver;
import dev.caravan.coordinator.generate.EngineRequest;
import dev.caravan.coordinator.generate.EngineSettings;
import dev.caravan.coordinator.generate.EngineStatus;
import dev.caravan.coordinator.generate.Generation;
import dev.caravan.coordinator.generate.GenerationListener;
import dev.caravan.coordinator.generate.TokenLogprobs;
import dev.caravan.coordinator.sample.SamplingParameters;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.step.RuntimeSettings;
import dev.caravan.model.step.RuntimeSettings.Activations;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The engine on real shards: batches, shared blocks and preemption change no bit of a text. */
class EngineOnShardsTest {
  private static final int STREAMS = 16;
  private static final int CONTEXT = 160;
  private static final int KV_BLOCKS = 20;

  @TempDir static Path directory;

  /** Collects the tokens. */
  private static final class Heard implements GenerationListener {
    private final CompletableFuture<List<Integer>> end = new CompletableFuture<>();
    private final List<Integer> ids = new ArrayList<>();

    @Override
    public boolean onToken(int id, @Nullable TokenLogprobs logprobs) {
      ids.add(id);
      return true;
    }

    @Override
    public void onEnd(End reason) {
      end.complete(ids);
    }

    @Override
    public void onError(ClusterException error) {
      end.completeExceptionally(error);
    }

    List<Integer> output() {
      return end.orTimeout(120, TimeUnit.SECONDS).join();
    }
  }

  @Test
  void sixteenStreamsAtOnceGiveTheTokensThatEachGivesAlone() throws IOException {
    RuntimeSettings settings =
        new SettingsBuilder()
            .activations(Activations.AUTO)
            .contextLength(CONTEXT)
            .batchRows(48)
            .kvBlocks(KV_BLOCKS)
            .build();
    try (InProcessCluster cluster =
        InProcessCluster.start(TinyModels.Q8_0.write(directory), 1, 3, settings)) {
      List<EngineRequest> requests =
          Stream.iterate(0, i -> i + 1).limit(STREAMS).map(EngineOnShardsTest::request).toList();
      List<List<Integer>> alone =
          requests.stream().map(request -> alone(cluster, request)).toList();
      try (ClusterEngine engine = engine(cluster, settings)) {
        List<Heard> together = new ArrayList<>();
        for (EngineRequest request : requests) {
          ClusterEngine.Handle other = engine.submit(request, new Heard());
          Heard heard = new Heard();
          engine.submit(request, heard);
          together.add(heard);
          other.cancel();
        }
        for (int i = 0; i < STREAMS; i++) {
          assertThat(together.get(i).output()).as("stream %d", i).isEqualTo(alone.get(i));
        }
        assertThat(engine.drain(Duration.ofMinutes(1))).isTrue();
        EngineStatus status = engine.status();
        assertThat(status.preemptions()).isPositive();
        assertThat(status.prefixHitTokens()).isPositive();
        assertThat(status.kvBlocksUsed()).isZero();
      }
    }
  }

  private static ClusterEngine engine(InProcessCluster cluster, RuntimeSettings settings) {
    ClusterEngine engine =
        new ClusterEngine(
            cluster.freshSteps(),
            Recovery.NONE,
            new EngineSettings(settings, TinyModels.VOCAB_SIZE, STREAMS, 2 * STREAMS),
            EngineObserver.NONE);
    engine.start(InProcessCluster.EPOCH);
    return engine;
  }

  /** Two neighbours begin alike. */
  private static EngineRequest request(int i) {
    SamplingParameters sampling =
        new SamplingParameters(i % 3 * 0.5, i % 4 == 1 ? 20 : 0, 1, 0, 1, i);
    return new EngineRequest(
        RowLogits.prompt(i / 2, 5 + 6 * (i / 2)),
        60,
        Set.of(),
        sampling,
        EngineRequest.NO_LOGPROBS,
        false,
        Optional.empty(),
        Duration.ofMinutes(5));
  }

  private static List<Integer> alone(InProcessCluster cluster, EngineRequest request) {
    List<Integer> ids = new ArrayList<>();
    Generation generation =
        new Generation(
            new Generation.Request(
                request.prompt(),
                request.maxTokens(),
                CONTEXT,
                request.endIds(),
                request.sampling()),
            ids::add,
            System::nanoTime);
    cluster.loop().run(generation.sequence());
    return ids;
  }
}
