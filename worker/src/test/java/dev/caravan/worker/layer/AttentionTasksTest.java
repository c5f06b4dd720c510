package dev.caravan.worker.layer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.model.step.SequenceChunk.Logits;
import dev.caravan.worker.compute.ComputePool;
import dev.caravan.worker.kernel.AttentionHead;
import dev.caravan.worker.kernel.AttentionRows;
import dev.caravan.worker.kernel.KernelLimits;
import dev.caravan.worker.kernel.Kernels;
import dev.caravan.worker.kernel.simd.SimdKernels;
import dev.caravan.worker.kvcache.KvShape;
import dev.caravan.worker.kvcache.KvType;
import dev.caravan.worker.kvcache.PagedKvCache;
import dev.caravan.worker.tensor.Activations;
import java.lang.foreign.Arena;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** How attention is cut, and that the cut is never seen. */
class AttentionTasksTest {
  private static final int CONTEXT = 5000;
  private static final int VOCAB_SIZE = 64;
  private static final int BLOCKS = Math.ceilDiv(CONTEXT, 16);
  private static final int HEADS = 4;
  private static final int HEAD_DIM = 16;
  private static final KernelLimits LIMITS = new KernelLimits(CONTEXT, HEADS, HEAD_DIM);

  private final Arena arena = Arena.ofShared();

  @AfterEach
  void close() {
    arena.close();
  }

  @Test
  void everyRowIsWholeOrAllItsRangesAreTasksOfTheirOwn() {
    for (int threads : new int[] {1, 2, 16}) {
      AttentionTasks tasks = new AttentionTasks(arena, threads, 2, LIMITS);
      StepRows rows = rows();
      tasks.set(rows.all());
      tasks.set(rows.all());
      Set<List<Integer>> covered = new HashSet<>();
      Set<Integer> parts = new HashSet<>();
      for (int task = 0; task < tasks.count(); task++) {
        AttentionRows unit = tasks.rows(task);
        int range = tasks.range(task);
        for (int row = unit.fromRow(); row < unit.toRow(); row++) {
          assertThat(unit.position() + row - unit.fromRow()).isEqualTo(rows.position(row));
          assertThat(unit.blocks()).isSameAs(rows.blocks(row));
          for (int r = 0; r < unit.ranges(); r++) {
            if (range == r || range == AttentionTasks.WHOLE) {
              assertThat(covered.add(List.of(row, r))).isTrue();
            }
          }
          if (range != AttentionTasks.WHOLE) {
            int part = unit.part(range) + row - unit.fromRow();
            assertThat(part).isBetween(0, tasks.parts().parts() - 1);
            assertThat(parts.add(part)).as("part %d is used once", part).isTrue();
          }
        }
      }
      for (int row = 0; row < rows.rows(); row++) {
        for (int r = 0; r * AttentionRows.RANGE <= rows.position(row); r++) {
          assertThat(covered).contains(List.of(row, r));
        }
      }
      assertThat(tasks.split().isEmpty()).isEqualTo(threads < 16);
    }
  }

  @Test
  void numberOfThreadsDoesNotChangeABit() {
    PagedKvCache cache = new PagedKvCache(arena, new KvShape(1, 1, HEAD_DIM, BLOCKS, KvType.Q8));
    Random random = new Random(99);
    Activations kv = new Activations(arena, 1, HEAD_DIM);
    for (int position = 0; position < CONTEXT; position++) {
      fill(kv, random);
      cache.append(0, position / 16, position % 16, kv, kv, 0);
    }
    StepRows rows = rows();
    Activations q = new Activations(arena, rows.rows(), HEADS * HEAD_DIM);
    fill(q, random);
    Activations one = attend(1, cache, q, rows);
    for (int threads : new int[] {2, 5}) {
      assertThat(attend(threads, cache, q, rows).data().mismatch(one.data())).isEqualTo(-1);
    }
  }

  private Activations attend(int threads, PagedKvCache cache, Activations q, StepRows rows) {
    Activations out = new Activations(arena, rows.rows(), q.columns());
    List<Kernels> kernels =
        IntStream.range(0, threads)
            .mapToObj(thread -> (Kernels) new SimdKernels(arena, LIMITS))
            .toList();
    AttentionTasks tasks = new AttentionTasks(arena, threads, 1, LIMITS);
    tasks.set(rows.all());
    try (ComputePool pool = new ComputePool(threads)) {
      pool.start();
      new StageKernels(pool, kernels)
          .attention(q, out, List.of(new AttentionHead(cache, 0, 0, 0, HEADS)), tasks);
    }
    return out;
  }

  /** A row with a long history, a chunk of a prompt, a row with a short history. */
  private static StepRows rows() {
    StepRows rows = new StepRows(Batches.settings(1, 64, CONTEXT), VOCAB_SIZE);
    rows.set(
        Batches.batch(
            1,
            Batches.chunk(CONTEXT - 1, Batches.tokens(1, VOCAB_SIZE), Logits.LAST),
            Batches.chunk(1000, Batches.tokens(40, VOCAB_SIZE), Logits.NONE),
            Batches.chunk(3, Batches.tokens(1, VOCAB_SIZE), Logits.LAST)));
    return rows;
  }

  private static void fill(Activations x, Random random) {
    for (int row = 0; row < x.maxRows(); row++) {
      for (int k = 0; k < x.columns(); k++) {
        x.set(row, k, (float) random.nextGaussian());
      }
    }
  }
}
