package dev.caravan.worker.layer;

/**
 * Rows [from, to) of a step, counted from 0.
 *
 * @param all rows of the step
 */
public record StepSlice(StepRows all, int from, int to) {

  int count() {
    return to - from;
  }

  int position(int row) {
    return all.position(from + row);
  }

  /** KV blocks of the row's sequence: position p lives in blocks[p / 16]. */
  int[] blocks(int row) {
    return all.blocks(from + row);
  }
}
