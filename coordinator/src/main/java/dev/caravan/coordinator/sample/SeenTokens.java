package dev.caravan.coordinator.sample;

import java.util.Arrays;
import java.util.BitSet;

/** The tokens that occurred in one sequence, each once. Confined to one sequence. */
final class SeenTokens {
  private final BitSet seen = new BitSet();
  private int[] ids = new int[16];
  private int count;

  void add(int id) {
    if (seen.get(id)) {
      return;
    }
    seen.set(id);
    if (count == ids.length) {
      ids = Arrays.copyOf(ids, count * 2);
    }
    ids[count++] = id;
  }

  boolean contains(int id) {
    return seen.get(id);
  }

  /** Returns all ids in the order in which they first occurred. */
  int[] ids() {
    return Arrays.copyOf(ids, count);
  }

  int count() {
    return count;
  }

  /** Returns an id by the order in which they first occurred. */
  int id(int index) {
    return ids[index];
  }
}
