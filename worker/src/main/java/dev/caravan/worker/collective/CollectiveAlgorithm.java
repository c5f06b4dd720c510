package dev.caravan.worker.collective;

/** How an all-reduce travels; the same on all ranks. */
public enum CollectiveAlgorithm {
  /** Whichever is expected to be faster for the size of each all-reduce. */
  AUTO,
  /** {@link DirectExchange}. */
  DIRECT,
  /** {@link ScatterExchange}. */
  SCATTER;

  /**
   * Returns the collective of a group; a group of one has nothing to exchange.
   *
   * @param rule for {@link #AUTO}; the same on all ranks
   */
  public Collective over(PeerGroup group, AllReduceRule rule) {
    if (group.size() == 1) {
      return new SoloCollective();
    }
    return new PeerAllReduce(
        group,
        switch (this) {
          case DIRECT -> AllReduceRule.ALWAYS_DIRECT;
          case SCATTER -> AllReduceRule.ALWAYS_SCATTER;
          // Two ranks send the same bytes either way: a second hop gains nothing.
          case AUTO -> group.size() == 2 ? AllReduceRule.ALWAYS_DIRECT : rule;
        });
  }
}
