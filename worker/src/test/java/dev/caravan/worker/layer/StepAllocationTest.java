package dev.caravan.worker.layer;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.caravan.model.checkpoint.DType;
import dev.caravan.model.checkpoint.TinyLlama;
import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.config.RopeScaling;
import dev.caravan.model.shard.IntRange;
import dev.caravan.model.step.SequenceChunk.Logits;
import dev.caravan.model.step.StepBatch;
import dev.caravan.worker.kernel.AttentionHead;
import dev.caravan.worker.kernel.AttentionParts;
import dev.caravan.worker.kernel.AttentionRows;
import dev.caravan.worker.kernel.Kernels;
import dev.caravan.worker.kernel.Rotation;
import dev.caravan.worker.tensor.Activations;
import dev.caravan.worker.tensor.InputForms;
import dev.caravan.worker.tensor.MatmulInput;
import dev.caravan.worker.tensor.WeightMatrix;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Invariant 6: a decode step on a worker allocates nothing that grows with the model. */
class StepAllocationTest {
  private static final int VOCAB_SIZE = 64;
  private static final int CONTEXT = 2048;
  private static final int THREADS = 2;
  private static final int MEASURED_STEPS = 50;
  private static final int PASSES = 10;
  private static final int WARM_UP_STEPS = 20_000;
  private static final int LAYERS = 2;

  /** Some twenty lambdas and their arguments. */
  private static final long MAX_BYTES_PER_LAYER = 2_000;

  /** What the measuring itself and the JIT add. */
  private static final long NOISE = 200;

  /**
   * The arguments of one task: they are there unless the JIT has proved that they do not escape. A
   * single row of the wide model would be 2,048 bytes or more.
   */
  private static final long TASK_BYTES = 64;

  /** The wide model has more tasks per layer: 15 more KV heads, 2 more ranges of FFN columns. */
  private static final long MORE_TASKS = 17;

  private static final LlamaConfig NARROW = config(64, 2, 1, 32, 96);
  private static final LlamaConfig WIDE = config(512, 32, 16, 64, 9000);

  @TempDir static Path directory;

  /** With kernels that do nothing: what the JIT has compiled so far makes no difference. */
  @Test
  void layersAllocateLittleAndNothingThatGrowsWithTheModel() throws IOException {
    // What is still interpreted allocates more: the first runs only make the JIT busy.
    bytesPerStep(NARROW, 1500);
    bytesPerStep(WIDE, 1);
    long narrow = bytesPerStep(NARROW, 1);
    long wide = bytesPerStep(WIDE, 1);
    long late = bytesPerStep(NARROW, 1500);
    System.out.printf("bytes a step: %d, wide %d, late %d%n", narrow, wide, late);
    assertThat(narrow).as("bytes a step").isLessThan(MAX_BYTES_PER_LAYER * LAYERS);
    assertThat(wide)
        .as("in a wider model")
        .isLessThanOrEqualTo(narrow + NOISE + LAYERS * MORE_TASKS * TASK_BYTES);
    assertThat(late).as("at a late position").isLessThanOrEqualTo(narrow + NOISE);
  }

  private static long bytesPerStep(LlamaConfig config, int position) throws IOException {
    Path file = directory.resolve("hidden-%d.gguf".formatted(config.hiddenSize()));
    TinyLlama.write(file, config, name -> DType.Q4_0, 3);
    try (StageRanks ranks =
        new StageRanks(
            file, 1, Batches.settings(THREADS, 64, CONTEXT), (arena, limits) -> new Idle())) {
      LlamaStage stage = ranks.stage(0);
      long step = 1;
      int at = 0;
      while (at < position) {
        int[] tokens = Batches.tokens(Math.min(64, position - at), VOCAB_SIZE);
        stage.forward(Batches.batch(step++, Batches.chunk(at, tokens, Logits.NONE)));
        at += tokens.length;
      }
      List<StepBatch> batches = new ArrayList<>();
      for (int i = 0; i < 2 * MEASURED_STEPS; i++) {
        batches.add(
            Batches.batch(step++, Batches.chunk(at + i, new int[] {i % VOCAB_SIZE}, Logits.LAST)));
      }
      for (int i = 0; i < WARM_UP_STEPS; i++) {
        stage.forward(batches.get(i % MEASURED_STEPS));
      }
      long[] threads = threads();
      long least = Long.MAX_VALUE;
      for (int pass = 0; pass < PASSES; pass++) {
        long before = allocatedBytes(threads);
        for (int i = MEASURED_STEPS; i < 2 * MEASURED_STEPS; i++) {
          stage.forward(batches.get(i));
        }
        least = Math.min(least, (allocatedBytes(threads) - before) / MEASURED_STEPS);
      }
      return least;
    }
  }

  /** Ids of this thread and of all threads of compute pools. */
  private static long[] threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread ->
            thread.equals(Thread.currentThread()) || thread.getName().startsWith("compute-"))
        .mapToLong(Thread::threadId)
        .toArray();
  }

  private static long allocatedBytes(long[] threads) {
    ThreadMXBean bean = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    return Arrays.stream(bean.getThreadAllocatedBytes(threads)).sum();
  }

  private static LlamaConfig config(int hidden, int heads, int kvHeads, int headDim, int ffn) {
    int columns = ffn / 32 * 32;
    return new LlamaConfig(
        hidden,
        columns,
        LAYERS,
        heads,
        kvHeads,
        headDim,
        VOCAB_SIZE,
        CONTEXT,
        1e-5f,
        10_000,
        new RopeScaling.None(),
        false);
  }

  /** Kernels that compute nothing. */
  private static final class Idle implements Kernels {
    @Override
    public InputForms forms(DType weight, boolean int8, int rows) {
      return InputForms.of(int8);
    }

    @Override
    public void prepare(Activations x, MatmulInput out, InputForms forms, int fromRow, int toRow) {}

    @Override
    public void matmul(
        WeightMatrix w, MatmulInput x, int rows, Activations y, int fromGroup, int toGroup) {}

    @Override
    public void rmsNorm(
        Activations x, MemorySegment weight, float eps, Activations out, int from, int to) {}

    @Override
    public void rope(Activations x, int heads, Rotation rotation, int fromRow, int toRow) {}

    @Override
    public void swiglu(
        Activations gate, Activations up, Activations out, IntRange rows, IntRange columns) {}

    @Override
    public void add(Activations x, Activations y, int fromRow, int toRow) {}

    @Override
    public void attention(Activations q, Activations out, AttentionHead head, AttentionRows rows) {}

    @Override
    public void attentionRange(
        Activations q, AttentionParts parts, AttentionHead head, AttentionRows rows, int range) {}

    @Override
    public void combineRanges(
        AttentionParts parts, Activations out, AttentionHead head, AttentionRows rows) {}

    @Override
    public void dequantiseRow(
        DType dtype, MemorySegment row, int columns, Activations out, int outRow) {}
  }
}
