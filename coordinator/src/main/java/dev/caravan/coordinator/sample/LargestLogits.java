package dev.caravan.coordinator.sample;

import java.util.Arrays;

/**
 * Selects the largest of many logits, equal ones by the lower id. Confined to one call.
 *
 * <p>A heap of the ones kept with the smallest on top: nearly all of a vocabulary is refused by one
 * comparison, so 128,256 logits are never sorted.
 */
final class LargestLogits {
  private LargestLogits() {}

  /**
   * Returns the ids of the largest logits, largest first.
   *
   * @param count at least 1; all logits if they are fewer
   */
  static int[] select(float[] logits, int count) {
    long[] heap = new long[Math.min(count, logits.length)];
    for (int id = 0; id < heap.length; id++) {
      heap[id] = key(logits[id], id);
    }
    Arrays.sort(heap);
    for (int id = heap.length; id < logits.length; id++) {
      long key = key(logits[id], id);
      if (key > heap[0]) {
        replaceSmallest(heap, key);
      }
    }
    Arrays.sort(heap);
    int[] ids = new int[heap.length];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = ~(int) heap[heap.length - 1 - i];
    }
    return ids;
  }

  private static void replaceSmallest(long[] heap, long key) {
    int at = 0;
    while (2 * at + 1 < heap.length) {
      int child = 2 * at + 1;
      if (child + 1 < heap.length && heap[child + 1] < heap[child]) {
        child++;
      }
      if (heap[child] >= key) {
        break;
      }
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = key;
  }

  /** The logit above the complement of the id: larger keys are larger logits, then lower ids. */
  private static long key(float logit, int id) {
    // Adding zero makes -0 and 0 equal.
    int bits = Float.floatToRawIntBits(logit + 0f);
    int ordered = bits ^ (bits >> 31 & Integer.MAX_VALUE);
    return (long) ordered << 32 | (~id & 0xFFFFFFFFL);
  }
}
