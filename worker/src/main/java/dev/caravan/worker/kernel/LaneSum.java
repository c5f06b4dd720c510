package dev.caravan.worker.kernel;

/**
 * How long sums are ordered so that every vector width returns the same bits: element i goes to
 * lane i mod 16; a lane is summed in chunks of 32 elements, the chunks in order; the 16 lanes are
 * folded in halves. At most a few dozen roundings follow one another, whatever the length.
 */
public final class LaneSum {
  public static final int LANES = 16;

  /** Elements of all lanes in a chunk. */
  public static final int CHUNK = 32 * LANES;

  private LaneSum() {}

  /** Folds the lanes: 8 onto 8, 4 onto 4, 2 onto 2, 1 onto 1; lanes are overwritten. */
  public static float fold(float[] lanes) {
    for (int width = LANES / 2; width > 0; width /= 2) {
      for (int i = 0; i < width; i++) {
        lanes[i] += lanes[i + width];
      }
    }
    return lanes[0];
  }
}
