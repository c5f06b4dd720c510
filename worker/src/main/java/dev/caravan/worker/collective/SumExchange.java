package dev.caravan.worker.collective;

/**
 * Partial sums that fit into one frame, on their way between the ranks of a group; all of them go
 * the same way.
 *
 * <p>Confined to the step thread.
 */
sealed interface SumExchange permits DirectExchange, ScatterExchange {

  /**
   * Does what is next, until the rows hold their sums over all ranks or, unless it may wait, until
   * it would have to wait for a peer.
   *
   * @return true if the rows hold their sums
   */
  boolean advance(boolean mayWait);
}
