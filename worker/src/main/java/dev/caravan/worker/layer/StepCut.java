package dev.caravan.worker.layer;

import dev.caravan.worker.kernel.Rotation;
import dev.caravan.worker.tensor.Activations;
import java.util.List;

/**
 * Cuts steps into the parts that go through the layers. Where it cuts depends on the batch alone:
 * all ranks have to do the same. Reused from step to step; confined to the step thread.
 */
final class StepCut {
  /** Fewer rows stay together: halves would read all weights for too few rows. */
  static final int MIN_ROWS = 128;

  /** Rows that kernels take together. */
  private static final int ROWS_UNIT = 4;

  private final int ranks;
  private final RotaryEmbedding rotary;
  private final AttentionTasks firstTasks;
  private final AttentionTasks secondTasks;
  private final Activations residual;
  private final Activations partial;

  /**
   * @param ranks of the stage; one has nothing to wait for
   * @param residual [maxRows, hiddenSize]
   * @param partial [maxRows, hiddenSize]
   */
  StepCut(
      int ranks,
      RotaryEmbedding rotary,
      AttentionTasks tasks,
      Activations residual,
      Activations partial) {
    this.ranks = ranks;
    this.rotary = rotary;
    this.firstTasks = tasks;
    this.secondTasks = new AttentionTasks(tasks);
    this.residual = residual;
    this.partial = partial;
  }

  /** Returns the parts in the order of their rows; valid until the next step. */
  List<StepPart> cut(StepRows rows, long step) {
    Rotation rotation = rotary.prepare(rows);
    int count = rows.rows();
    if (ranks == 1 || count < MIN_ROWS) {
      return List.of(part(rows.all(), step, firstTasks, rotation));
    }
    int half = Math.ceilDiv(count, 2 * ROWS_UNIT) * ROWS_UNIT;
    return List.of(
        part(new StepSlice(rows, 0, half), step, firstTasks, rotation),
        part(new StepSlice(rows, half, count), step, secondTasks, rotation));
  }

  private StepPart part(StepSlice rows, long step, AttentionTasks tasks, Rotation rotation) {
    tasks.set(rows);
    return new StepPart(
        step,
        rows,
        tasks,
        rotation.rows(rows.from(), rows.to()),
        residual.rows(rows.from(), rows.to()),
        partial.rows(rows.from(), rows.to()));
  }
}
