package dev.caravan.coordinator.generate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.coordinator.sample.LogitAdjustments;
import dev.caravan.coordinator.sample.SamplingParameters;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a generation answers depends on its request alone. */
class ManyStreamsTest {
  private static final int STREAMS = 16;
  private static final int ENOUGH_BLOCKS = 200;

  @ParameterizedTest
  @ValueSource(ints = {ENOUGH_BLOCKS, 30, 16})
  void sixteenStreamsGiveWhatEachGivesAloneWhileOthersComeAndGo(int blocks) {
    List<EngineRequest> requests = requests(STREAMS);
    List<List<Integer>> alone = requests.stream().map(ManyStreamsTest::alone).toList();
    PagedCluster cluster = new PagedCluster(blocks);
    cluster.start = new CompletableFuture<>();
    try (ClusterEngine engine =
        EngineRun.start(cluster, EngineRun.settings(blocks, STREAMS, 200))) {
      List<HeardGeneration> together = new ArrayList<>();
      List<Engine.Handle> others = new ArrayList<>();
      for (EngineRequest request : requests) {
        others.add(engine.submit(EngineRun.greedy(20, request.prompt()), new HeardGeneration()));
        together.add(EngineRun.submit(engine, request));
        others.add(engine.submit(EngineRun.greedy(9, 7, together.size()), new HeardGeneration()));
      }
      cluster.start.complete(null);
      together.get(3).awaitFirstToken();
      for (int i = 0; i < others.size(); i += 2) {
        others.get(i).cancel();
      }
      for (int i = 0; i < STREAMS; i++) {
        assertThat(together.get(i).output()).as("stream %d", i).isEqualTo(alone.get(i));
      }
      assertThat(engine.drain(EngineRun.HOUR)).isTrue();
      EngineStatus status = engine.status();
      assertThat(status.kvBlocksUsed()).isZero();
      assertThat(status.preemptions() > 0).isEqualTo(blocks < ENOUGH_BLOCKS);
    }
  }

  @Test
  void blocksOfACommonPrefixChangeNoToken() {
    int[] common = EngineRun.prompt(1, 70);
    List<EngineRequest> requests = new ArrayList<>();
    for (int cut : new int[] {15, 16, 17, 32, 33, 64, 70}) {
      for (int next : new int[] {5, 6}) {
        int[] prompt = Arrays.copyOf(common, cut + 1);
        prompt[cut] = next;
        requests.add(EngineRun.greedy(30, prompt));
      }
    }
    try (ClusterEngine engine =
        EngineRun.start(
            new PagedCluster(ENOUGH_BLOCKS), EngineRun.settings(ENOUGH_BLOCKS, 4, 200))) {
      for (EngineRequest request : requests) {
        assertThat(EngineRun.submit(engine, request).output()).isEqualTo(alone(request));
      }
      List<HeardGeneration> again =
          requests.stream().map(request -> EngineRun.submit(engine, request)).toList();
      for (int i = 0; i < requests.size(); i++) {
        assertThat(again.get(i).output()).isEqualTo(alone(requests.get(i)));
        int length = requests.get(i).prompt().length;
        assertThat(again.get(i).end().cachedTokens()).isEqualTo((length - 1) / 16 * 16);
      }
      assertThat(engine.status().prefixHitTokens()).isPositive();
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void mixedTrafficLeavesNoBlockBehind(long seed) {
    Random random = new Random(seed);
    int blocks = 16;
    PagedCluster cluster = new PagedCluster(blocks);
    try (ClusterEngine engine = EngineRun.start(cluster, EngineRun.settings(blocks, 8, 1000))) {
      List<EngineRequest> requests = new ArrayList<>();
      List<HeardGeneration> heard = new ArrayList<>();
      for (int i = 0; i < 150; i++) {
        EngineRequest request = randomRequest(random);
        HeardGeneration generation = new HeardGeneration();
        Engine.Handle handle = engine.submit(request, generation);
        if (random.nextInt(3) == 0) {
          if (random.nextBoolean()) {
            generation.awaitFirstToken();
          }
          handle.cancel();
        } else {
          requests.add(request);
          heard.add(generation);
        }
      }
      for (int i = 0; i < heard.size(); i++) {
        assertThat(heard.get(i).output()).isEqualTo(alone(requests.get(i)));
      }
      assertThat(engine.drain(EngineRun.HOUR)).isTrue();
      assertThat(engine.status().kvBlocksUsed()).isZero();
      assertThat(engine.status().kvBlocksCached()).isBetween(1, blocks);
      assertThat(engine.status().preemptions()).isPositive();
    }
  }

  private static EngineRequest randomRequest(Random random) {
    SamplingParameters sampling =
        new SamplingParameters(random.nextInt(2), 0, 1, 0, 1, random.nextLong());
    // Few beginnings, so that many find blocks of others.
    int[] prompt = EngineRun.prompt(random.nextInt(2), 1 + random.nextInt(80));
    return EngineRun.request(1 + random.nextInt(120), sampling, prompt);
  }

  private static List<EngineRequest> requests(int count) {
    List<EngineRequest> requests = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      LogitAdjustments adjustments =
          i % 4 == 3 ? new LogitAdjustments(0.5, 0.7, Map.of(i, 2.0)) : LogitAdjustments.NONE;
      SamplingParameters sampling =
          new SamplingParameters(i % 3 * 0.5, i % 5 == 1 ? 10 : 0, 1 - i % 2 * 0.1, 0, 1, i)
              .with(adjustments);
      requests.add(EngineRun.request(60 + i, sampling, EngineRun.prompt(i % 6, 3 + 7 * i)));
    }
    return requests;
  }

  private static List<Integer> alone(EngineRequest request) {
    try (ClusterEngine engine =
        EngineRun.start(new PagedCluster(ENOUGH_BLOCKS), EngineRun.settings(ENOUGH_BLOCKS, 1, 1))) {
      return EngineRun.submit(engine, request).output();
    }
  }
}
