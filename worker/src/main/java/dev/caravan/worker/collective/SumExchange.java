package dev.caravan.worker.collective;

import dev.caravan.proto.wire.TensorView;

/**
 * One way for partial sums to travel between the ranks of a group; the same on all of them.
 *
 * <p>Confined to the step thread.
 */
sealed interface SumExchange permits DirectExchange, ScatterExchange {

  /**
   * Replaces x by its sum over all ranks, added in rank order.
   *
   * @param x what fits into one frame
   * @param firstRow row of the batch that x starts with
   */
  void sum(long step, int op, TensorView x, int firstRow);
}
