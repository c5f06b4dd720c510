package dev.caravan.worker.layer;

import dev.caravan.worker.kernel.Rotation;
import dev.caravan.worker.tensor.Activations;

/**
 * Rows of a step that go through the layers together: all, or one of two halves.
 *
 * @param step number of the step
 * @param rows of the part
 * @param tasks of their attention
 * @param rotation a row for each
 * @param residual [rows, hiddenSize]
 * @param partial [rows, hiddenSize], what row-parallel layers sum over the ranks
 */
record StepPart(
    long step,
    StepSlice rows,
    AttentionTasks tasks,
    Rotation rotation,
    Activations residual,
    Activations partial) {

  int count() {
    return rows.count();
  }
}
