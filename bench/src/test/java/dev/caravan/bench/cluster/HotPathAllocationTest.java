package dev.caravan.bench.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.bench.synth.Geometry;
import dev.caravan.bench.synth.SyntheticModel;
import dev.caravan.coordinator.cluster.StepExecutor;
import dev.caravan.coordinator.rpc.Cluster;
import dev.caravan.coordinator.rpc.ClusterSettings;
import dev.caravan.coordinator.rpc.LoadListener;
import dev.caravan.model.checkpoint.Checkpoint;
import dev.caravan.model.checkpoint.Checkpoints;
import dev.caravan.model.checkpoint.DType;
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
 * Invariant 8 on real workers: all that a decode step allocates in a worker JVM, transport and
 * messages included, is little, and none of it grows with weights, context or vocabulary.
 *
 * <p>The widths are those of Llama 3.2 1B, the kernels those of vectors: what they box would show.
 */
@Timeout(300)
class HotPathAllocationTest {
  private static final int WORKERS = 2;
  private static final int FIRST_EPOCH = 1;
  private static final int LAYERS = 2;
  private static final int VOCAB_SIZE = 32_000;
  private static final int CONTEXT = 1024;
  private static final int EARLY = 20;
  private static final int LATE = 1000;
  private static final int STEPS = 30;
  private static final int MAX_PASSES = 60;

  /** So many measurements must not be better than the best before: the JIT has come to rest. */
  private static final int PASSES_AT_REST = 3;

  /**
   * Less than the least things that grow, each on top of the 10 KB that messages take: a row of
   * activations has 8 KB, or 4 KB of each layer; a rank's logits have 64 KB.
   */
  private static final long MAX_STEP_BYTES = 16 << 10;

  /** What the measuring itself, heartbeats and the JIT add to a step. */
  private static final long NOISE = 4_000;

  /**
   * The one thing that grows: the step's message brings the sequence's block table, four bytes for
   * every sixteen positions, which is decoded once (twice for a moment).
   */
  private static final long BLOCK_TABLE_BYTES = 16L * (LATE - EARLY) / 16;

  @TempDir Path directory;
  private long step;

  @Test
  void stepAllocatesLittleAndNothingThatGrows() throws IOException {
    Geometry geometry = Geometry.LLAMA_3_2_1B;
    Path model = directory.resolve("1b-2-layers.gguf");
    new SyntheticModel(geometry, geometry.config(LAYERS, VOCAB_SIZE), DType.Q4_0, 3)
        .write(model, 2, bytes -> {});
    Bytes bytes = bytesPerStep(model);
    System.out.println("bytes of a step: " + bytes);
    assertThat(bytes.early()).isBetween(1L, MAX_STEP_BYTES);
    assertThat(bytes.late())
        .as("at a late position")
        .isLessThan(bytes.early() + BLOCK_TABLE_BYTES + NOISE);
  }

  /** What a step allocates in the worker that allocates more, at two positions. */
  private record Bytes(long early, long late) {}

  private Bytes bytesPerStep(Path model) throws IOException {
    try (Checkpoint checkpoint = Checkpoints.open(model)) {
      ShardPlan plan =
          ShardPlanner.plan(checkpoint.config(), WeightTypes.of(checkpoint), 1, WORKERS);
      try (Cluster cluster = new Cluster(settings(model), checkpoint, plan)) {
        cluster.start(LoadListener.NONE);
        List<WorkerHeap> heaps = new ArrayList<>();
        try {
          for (Cluster.WorkerMemory worker : cluster.memory()) {
            heaps.add(WorkerHeap.attach(worker.member().processId()));
          }
          touchCache(cluster.executor());
          long early = least(cluster.executor(), heaps, EARLY);
          return new Bytes(early, least(cluster.executor(), heaps, LATE));
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

  /** Writes to every block once, so that the whole cache is there. */
  private void touchCache(StepExecutor executor) {
    for (int position = 0; position < CONTEXT; position += RuntimeSettings.BLOCK_POSITIONS) {
      decode(executor, position, 1);
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
            .kernels(Kernels.SIMD)
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
}
