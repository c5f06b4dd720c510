package dev.caravan.bench.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.coordinator.cluster.StepExecutor;
import dev.caravan.coordinator.rpc.Cluster;
import dev.caravan.coordinator.rpc.ClusterSettings;
import dev.caravan.coordinator.rpc.LoadListener;
import dev.caravan.model.checkpoint.Checkpoint;
import dev.caravan.model.checkpoint.Checkpoints;
import dev.caravan.model.checkpoint.DType;
import dev.caravan.model.checkpoint.TinyLlama;
import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.config.RopeScaling;
import dev.caravan.model.shard.ShardPlan;
import dev.caravan.model.shard.ShardPlanner;
import dev.caravan.model.shard.WeightTypes;
import dev.caravan.model.step.RowQuery;
import dev.caravan.model.step.RuntimeSettings;
import dev.caravan.model.step.RuntimeSettings.Kernels;
import dev.caravan.model.step.RuntimeSettings.KvType;
import dev.caravan.model.step.SequenceChunk;
import dev.caravan.model.step.StepBatch;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Invariant 6 on real workers: all that a decode step allocates in a worker JVM, transport and
 * messages included, is little, and none of it grows with weights, context or vocabulary.
 *
 * <p>With plain loops as kernels: what vectors allocate depends on what the JIT has made of them so
 * far, and is no matter of weights, context or vocabulary.
 */
@Timeout(600)
class HotPathAllocationTest {
  private static final int FIRST_EPOCH = 1;
  private static final int WORKERS = 2;
  private static final int LAYERS = 2;
  private static final int CONTEXT = 2048;
  private static final int CHUNK = 64;
  private static final int EARLY = 20;
  private static final int LATE = 2000;
  private static final int STEPS = 100;
  private static final int WARM_UP_STEPS = 600;
  private static final int MAX_PASSES = 60;

  /** So many measurements must not be better than the best before: the JIT has come to rest. */
  private static final int PASSES_AT_REST = 6;

  /** What a step of a model with 16 layers may allocate in a worker; here it has two. */
  private static final long MAX_STEP_BYTES = 512 << 10;

  /** What the measuring itself, heartbeats and the JIT add to a step. */
  private static final long NOISE = 3_000;

  /**
   * The one thing that grows: the step's message brings the sequence's block table, four bytes for
   * every sixteen positions, which is decoded once (twice for a moment).
   */
  private static final long BLOCK_TABLE_BYTES = 16L * (LATE - EARLY) / 16;

  private static final LlamaConfig NARROW = config(64, 96, 256);
  private static final LlamaConfig WIDE = config(256, 1024, 256);
  private static final LlamaConfig WORDY = config(64, 96, 24_000);

  @TempDir Path directory;
  private long step;

  @Test
  void stepAllocatesLittleAndNothingThatGrows() throws IOException {
    long[] narrow = bytesPerStep("narrow", NARROW, DType.Q4_0);
    long[] wide = bytesPerStep("wide", WIDE, DType.Q4_0);
    long[] wordy = bytesPerStep("large vocabulary", WORDY, DType.Q8_0);
    assertThat(wide[0]).as("with 30 times the weights").isLessThan(narrow[0] + NOISE);
    assertThat(wordy[0]).as("with 90 times the vocabulary").isLessThan(narrow[0] + NOISE);
    for (long[] measured : List.of(narrow, wide, wordy)) {
      assertThat(measured[0]).isBetween(1L, MAX_STEP_BYTES * LAYERS / 16);
      assertThat(measured[1])
          .as("at a late position")
          .isLessThan(measured[0] + BLOCK_TABLE_BYTES + NOISE);
    }
  }

  /** Returns the bytes of the worker that allocates more: at an early and at a late position. */
  private long[] bytesPerStep(String label, LlamaConfig config, DType type) throws IOException {
    Path model =
        directory.resolve("model-%d-%d.gguf".formatted(config.hiddenSize(), config.vocabSize()));
    TinyLlama.write(model, config, name -> type, 3);
    try (Checkpoint checkpoint = Checkpoints.open(model)) {
      ShardPlan plan =
          ShardPlanner.plan(checkpoint.config(), WeightTypes.of(checkpoint), 1, WORKERS);
      try (Cluster cluster = new Cluster(settings(model), checkpoint, plan)) {
        cluster.start(new Quiet());
        List<WorkerHeap> heaps = new ArrayList<>();
        try {
          for (Cluster.WorkerMemory worker : cluster.memory()) {
            heaps.add(WorkerHeap.attach(worker.member().processId()));
          }
          prefill(cluster.executor());
          decode(cluster.executor(), EARLY, WARM_UP_STEPS);
          decode(cluster.executor(), LATE, WARM_UP_STEPS / 4);
          long[] bytes = {
            least(cluster.executor(), heaps, EARLY), least(cluster.executor(), heaps, LATE)
          };
          System.out.printf("bytes a step: %s %d, late %d%n", label, bytes[0], bytes[1]);
          return bytes;
        } finally {
          heaps.forEach(WorkerHeap::close);
        }
      }
    }
  }

  /** Returns the least that a step was seen to allocate, once it gets no less. */
  private long least(StepExecutor executor, List<WorkerHeap> heaps, int position) {
    long least = Long.MAX_VALUE;
    int atRest = 0;
    for (int pass = 0; pass < MAX_PASSES && atRest < PASSES_AT_REST; pass++) {
      long measured = measure(executor, heaps, position);
      atRest = measured < least - least / 50 ? 0 : atRest + 1;
      least = Math.min(least, measured);
    }
    return least;
  }

  private long measure(StepExecutor executor, List<WorkerHeap> heaps, int position) {
    List<Long> first = heaps.stream().map(WorkerHeap::allocatedBytes).toList();
    List<Long> before = heaps.stream().map(WorkerHeap::allocatedBytes).toList();
    decode(executor, position, STEPS);
    long most = 0;
    for (int i = 0; i < heaps.size(); i++) {
      long reading = before.get(i) - first.get(i);
      most = Math.max(most, heaps.get(i).allocatedBytes() - before.get(i) - reading);
    }
    return most / STEPS;
  }

  /** Computes all positions once, so that the whole cache is there. */
  private void prefill(StepExecutor executor) {
    for (int position = 0; position < CONTEXT; position += CHUNK) {
      step++;
      int[] blocks = blocks(position + CHUNK - 1);
      SequenceChunk chunk = new SequenceChunk(position, new int[CHUNK], blocks, List.of());
      executor.execute(new StepBatch(FIRST_EPOCH, step, List.of(chunk)));
    }
  }

  private static int[] blocks(int lastPosition) {
    return IntStream.rangeClosed(0, lastPosition / RuntimeSettings.BLOCK_POSITIONS).toArray();
  }

  /** Decodes the same position again and again. */
  private void decode(StepExecutor executor, int position, int steps) {
    int[] blocks = blocks(position);
    List<RowQuery> queries = List.of(new RowQuery.Largest(1));
    for (int i = 0; i < steps; i++) {
      step++;
      SequenceChunk chunk = new SequenceChunk(position, new int[] {i % 200}, blocks, queries);
      executor.execute(new StepBatch(FIRST_EPOCH, step, List.of(chunk)));
    }
  }

  private static ClusterSettings settings(Path model) {
    RuntimeSettings runtime =
        new SettingsBuilder()
            .kernels(Kernels.UNPACKED)
            .kv(KvType.F16)
            .activations(RuntimeSettings.Activations.AUTO)
            .contextLength(CONTEXT)
            .kvBlocks(CONTEXT / RuntimeSettings.BLOCK_POSITIONS)
            .build();
    List<String> command =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "@" + Path.of("..", "worker.options").toAbsolutePath().normalize(),
            "-XX:ActiveProcessorCount=2",
            "-cp",
            System.getProperty("java.class.path"),
            "dev.caravan.worker.rpc.LocalWorkerMain");
    return new ClusterSettings(
        model, WORKERS, 1, runtime, new InetSocketAddress("127.0.0.1", 0), false, command, false);
  }

  /** As many heads everywhere: their number is not what is tested. */
  private static LlamaConfig config(int hidden, int ffn, int vocabSize) {
    return new LlamaConfig(
        hidden,
        ffn,
        LAYERS,
        4,
        2,
        hidden / 4,
        vocabSize,
        CONTEXT,
        1e-5f,
        10_000,
        new RopeScaling.None(),
        false);
  }

  private static final class Quiet implements LoadListener {
    @Override
    public void waiting(String address, int expected) {}

    @Override
    public void joined(int workers, int expected) {}

    @Override
    public void loaded(long doneBytes, long totalBytes) {}
  }
}
