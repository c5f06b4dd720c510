package dev.caravan.worker.collective;

/** How an all-reduce travels; the same on all ranks. */
public enum CollectiveAlgorithm {
  /** Whichever is expected to be faster for the size of each all-reduce. */
  AUTO,
  /** {@link DirectAllReduce}. */
  DIRECT,
  /** {@link ScatterAllReduce}. */
  SCATTER;

  /** Returns the collective of a group; a group of one has nothing to exchange. */
  public Collective over(PeerGroup group) {
    if (group.size() == 1) {
      return new SoloCollective();
    }
    return switch (this) {
      case DIRECT -> new DirectAllReduce(group);
      case SCATTER -> new ScatterAllReduce(group);
      case AUTO -> new SizedAllReduce(group);
    };
  }
}
