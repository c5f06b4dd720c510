package dev.caravan.worker.layer;

import dev.caravan.model.shard.IntRange;
import dev.caravan.worker.compute.ComputePool;
import dev.caravan.worker.compute.Task;
import dev.caravan.worker.kernel.AttentionHead;
import dev.caravan.worker.kernel.AttentionRows;
import dev.caravan.worker.kernel.Kernels;
import dev.caravan.worker.kernel.Rotation;
import dev.caravan.worker.kvcache.PagedKvCache;
import dev.caravan.worker.tensor.Activations;
import dev.caravan.worker.tensor.InputForms;
import dev.caravan.worker.tensor.MatmulInput;
import dev.caravan.worker.tensor.WeightMatrix;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The kernels over all threads of the worker: the one place that cuts work into tasks. How it is
 * cut never changes a result. Confined to the step thread.
 */
public final class StageKernels {
  /** Tasks of a matrix product read about this many bytes of weights: small enough to balance. */
  private static final long TASK_BYTES = 128 << 10;

  /** Groups that kernels take together; tasks are multiples, so that none is left over. */
  private static final int GROUPS_UNIT = 8;

  private static final int COLUMNS_PER_TASK = 4096;

  private final ComputePool pool;
  private final List<Kernels> kernels;
  private @Nullable Runnable meanwhile;

  /**
   * @param kernels one for each thread of the pool
   */
  public StageKernels(ComputePool pool, List<Kernels> kernels) {
    this.pool = pool;
    this.kernels = List.copyOf(kernels);
  }

  /**
   * Has the step thread do something between its tasks from now on.
   *
   * @param newMeanwhile null for nothing
   */
  void meanwhile(@Nullable Runnable newMeanwhile) {
    meanwhile = newMeanwhile;
  }

  /** A weight and where its product goes: y [rows, weight.rows()]. */
  public record Product(WeightMatrix weight, Activations y) {}

  /** Multiplies rows by several weights that share their input. */
  public void matmul(MatmulInput x, int rows, Product... products) {
    int tasks = 0;
    for (Product product : products) {
      tasks += tasks(product.weight());
    }
    run(
        tasks,
        (task, thread) -> {
          int local = task;
          for (Product product : products) {
            int count = tasks(product.weight());
            if (local < count) {
              int groups = groupsPerTask(product.weight());
              int from = local * groups;
              int to = Math.min(from + groups, product.weight().rowGroups());
              kernels.get(thread).matmul(product.weight(), x, rows, product.y(), from, to);
              return;
            }
            local -= count;
          }
        });
  }

  /** Runs parts that are cut already. */
  void run(int tasks, Task task) {
    pool.run(tasks, task, meanwhile);
  }

  /** Prepares the first rows for {@link #matmul} with the products' weights. */
  public void prepare(Activations x, MatmulInput out, boolean int8, int rows, Product... products) {
    InputForms forms = forms(products[0], int8, rows);
    for (Product product : products) {
      forms = forms.with(forms(product, int8, rows));
    }
    InputForms all = forms;
    run(rows, (row, thread) -> kernels.get(thread).prepare(x, out, all, row, row + 1));
  }

  private InputForms forms(Product product, boolean int8, int rows) {
    return kernels.getFirst().forms(product.weight().dtype(), int8, rows);
  }

  void rmsNorm(Activations x, MemorySegment weight, float eps, Activations out, int rows) {
    run(rows, (row, thread) -> kernels.get(thread).rmsNorm(x, weight, eps, out, row, row + 1));
  }

  void rope(Activations x, int heads, Rotation rotation, int rows) {
    run(rows, (row, thread) -> kernels.get(thread).rope(x, heads, rotation, row, row + 1));
  }

  void swiglu(Activations gate, Activations up, Activations out, int rows) {
    int parts = Math.ceilDiv(gate.columns(), COLUMNS_PER_TASK);
    run(
        rows * parts,
        (task, thread) -> {
          int row = task / parts;
          int from = task % parts * COLUMNS_PER_TASK;
          int to = Math.min(from + COLUMNS_PER_TASK, gate.columns());
          kernels
              .get(thread)
              .swiglu(gate, up, out, new IntRange(row, row + 1), new IntRange(from, to));
        });
  }

  void add(Activations x, Activations y, int rows) {
    run(rows, (row, thread) -> kernels.get(thread).add(x, y, row, row + 1));
  }

  void append(PagedKvCache cache, int layer, Activations k, Activations v, StepSlice rows) {
    run(
        rows.count(),
        (row, thread) -> {
          int position = rows.position(row);
          int block = rows.blocks(row)[position / PagedKvCache.BLOCK_POSITIONS];
          cache.append(layer, block, position % PagedKvCache.BLOCK_POSITIONS, k, v, row);
        });
  }

  /**
   * Attends with all query heads of all rows.
   *
   * @param heads local key-value heads
   */
  public void attention(
      Activations q, Activations out, List<AttentionHead> heads, AttentionTasks tasks) {
    run(
        tasks.count() * heads.size(),
        (task, thread) -> {
          AttentionHead head = heads.get(task % heads.size());
          AttentionRows rows = tasks.rows(task / heads.size());
          int range = tasks.range(task / heads.size());
          if (range == AttentionTasks.WHOLE) {
            kernels.get(thread).attention(q, out, head, rows);
          } else {
            kernels.get(thread).attentionRange(q, tasks.parts(), head, rows, range);
          }
        });
    run(
        tasks.split().size() * heads.size(),
        (task, thread) -> {
          AttentionRows rows = tasks.split().get(task / heads.size());
          AttentionHead head = heads.get(task % heads.size());
          kernels.get(thread).combineRanges(tasks.parts(), out, head, rows);
        });
  }

  private static int groupsPerTask(WeightMatrix weight) {
    long groups = TASK_BYTES / weight.groupBytes() / GROUPS_UNIT * GROUPS_UNIT;
    return (int) Math.max(GROUPS_UNIT, groups);
  }

  private static int tasks(WeightMatrix weight) {
    return Math.ceilDiv(weight.rowGroups(), groupsPerTask(weight));
  }
}
