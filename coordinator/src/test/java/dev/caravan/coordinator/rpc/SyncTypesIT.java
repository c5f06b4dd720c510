package dev.caravan.coordinator.rpc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.coordinator.cli.LocalWorkerCommand;
import dev.caravan.coordinator.cli.SmallModels;
import dev.caravan.coordinator.generate.GenerationLoop;
import dev.caravan.coordinator.schedule.BlockAllocator;
import dev.caravan.coordinator.schedule.Scheduler;
import dev.caravan.coordinator.schedule.Sequence;
import dev.caravan.model.checkpoint.Checkpoint;
import dev.caravan.model.checkpoint.Checkpoints;
import dev.caravan.model.checkpoint.DType;
import dev.caravan.model.shard.ShardPlan;
import dev.caravan.model.shard.ShardPlanner;
import dev.caravan.model.shard.WeightTypes;
import dev.caravan.model.step.RuntimeSettings;
import dev.caravan.model.step.RuntimeSettings.Collective;
import dev.caravan.model.step.RuntimeSettings.Sync;
import dev.caravan.model.step.SequenceChunk;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What crosses the network between three worker JVMs: all ranks stay bit-identical (each step
 * compares their checksums), and narrow payloads stay close to f32.
 */
@Timeout(180)
class SyncTypesIT {
  private static final int RANKS = 3;
  private static final int[] PROMPT = {1, 7, 42, 99, 200, 3, 17, 250, 8};
  private static final int DECODED = 4;
  private static final int CONTEXT = 256;
  private static final int BLOCKS = CONTEXT / RuntimeSettings.BLOCK_POSITIONS;

  @TempDir Path directory;

  @Test
  void directAndScatterGiveTheSameBitsAndNarrowPayloadsStayClose() throws IOException {
    Path model = SmallModels.plain(directory.resolve("model.gguf"), DType.F32);
    Map<Sync, List<float[]>> direct = new EnumMap<>(Sync.class);
    Map<Sync, List<float[]>> scatter = new EnumMap<>(Sync.class);
    for (Sync sync : Sync.values()) {
      direct.put(sync, logits(model, RANKS, sync, Collective.DIRECT));
      scatter.put(sync, logits(model, RANKS, sync, Collective.SCATTER));
    }
    assertThat(distance(of(direct, Sync.F32), of(scatter, Sync.F32))).isZero();
    assertThat(distance(of(direct, Sync.F32), logits(model, 1, Sync.F32, Collective.AUTO)))
        .isLessThan(1e-5);
    for (Map<Sync, List<float[]>> narrow : List.of(direct, scatter)) {
      assertThat(distance(of(narrow, Sync.BF16), of(direct, Sync.F32))).isBetween(1e-6, 0.02);
      assertThat(distance(of(narrow, Sync.Q8), of(direct, Sync.F32))).isBetween(1e-6, 0.05);
    }
  }

  @ParameterizedTest
  @EnumSource(Sync.class)
  void stepsThatAreCutGiveTheSameBits(Sync sync) throws IOException {
    Path model = SmallModels.plain(directory.resolve("model.gguf"), DType.F32);
    int[] prompt = new Random(7).ints(CONTEXT - 2 * DECODED, 0, 256).toArray();
    assertThat(
            distance(
                logits(model, RANKS, sync, Collective.AUTO, prompt, CONTEXT),
                logits(model, RANKS, sync, Collective.AUTO, prompt, 64)))
        .isZero();
  }

  private static List<float[]> of(Map<Sync, List<float[]>> runs, Sync sync) {
    return Objects.requireNonNull(runs.get(sync), "a run with that payload");
  }

  private static List<float[]> logits(Path model, int ranks, Sync sync, Collective collective) {
    return logits(model, ranks, sync, collective, PROMPT, 4);
  }

  /** Returns the logits after a prompt and after each of a few greedy tokens. */
  private static List<float[]> logits(
      Path model, int ranks, Sync sync, Collective collective, int[] prompt, int stepRows) {
    RuntimeSettings runtime =
        new RuntimeSettings(
            1,
            RuntimeSettings.Kernels.UNPACKED,
            RuntimeSettings.Activations.F32,
            RuntimeSettings.KvType.F32,
            sync,
            collective,
            stepRows,
            BLOCKS,
            CONTEXT,
            true,
            30_000);
    ClusterSettings settings =
        new ClusterSettings(
            model,
            ranks,
            1,
            runtime,
            new InetSocketAddress("127.0.0.1", 0),
            false,
            LocalWorkerCommand.build(runtime, false),
            false);
    try (Checkpoint checkpoint = Checkpoints.open(model)) {
      ShardPlan plan = ShardPlanner.plan(checkpoint.config(), WeightTypes.of(checkpoint), 1, ranks);
      try (Cluster cluster = new Cluster(settings, checkpoint, plan)) {
        LoadEvents events = new LoadEvents();
        cluster.start(events);
        assertThat(events.bytesWhenPriming).containsExactly(events.totalBytes);
        return run(cluster, prompt, stepRows);
      }
    }
  }

  private static List<float[]> run(Cluster cluster, int[] prompt, int stepRows) {
    List<float[]> logits = new ArrayList<>();
    GenerationLoop loop =
        new GenerationLoop(
            new Scheduler(new BlockAllocator(BLOCKS), stepRows, stepRows),
            cluster.executor(),
            CONTEXT,
            cluster.epoch());
    loop.run(
        new Sequence(
            prompt,
            SequenceChunk.Logits.LAST,
            (position, row) -> {
              logits.add(row);
              // The same tokens in every run, so that every run computes the same rows.
              return logits.size() > DECODED ? Sequence.LogitsConsumer.END : 5 * logits.size();
            }));
    return logits;
  }

  /** Relative L2 distance over all rows. */
  private static double distance(List<float[]> actual, List<float[]> expected) {
    assertThat(actual).hasSameSizeAs(expected).hasSize(DECODED + 1);
    double error = 0;
    double norm = 0;
    for (int row = 0; row < expected.size(); row++) {
      for (int i = 0; i < expected.get(row).length; i++) {
        double difference = (double) actual.get(row)[i] - expected.get(row)[i];
        error += difference * difference;
        norm += (double) expected.get(row)[i] * expected.get(row)[i];
      }
    }
    return Math.sqrt(error / norm);
  }

  /** Keeps how many bytes were loaded whenever the workers began to have kernels compiled. */
  private static final class LoadEvents implements LoadListener {
    private final List<Long> bytesWhenPriming = new ArrayList<>();
    private long doneBytes;
    private long totalBytes;

    @Override
    public void waiting(String address, int expected) {}

    @Override
    public void joined(int workers, int expected) {}

    @Override
    public synchronized void loaded(long doneBytes, long totalBytes) {
      this.doneBytes = Math.max(this.doneBytes, doneBytes);
      this.totalBytes = totalBytes;
    }

    @Override
    public synchronized void priming() {
      bytesWhenPriming.add(doneBytes);
    }

    @Override
    public void rehearsing() {}
  }
}
