package dev.caravan.model.step;

import java.util.Arrays;

/**
 * Keeps the largest of many logits, in {@link LogitOrder}. Reused; confined to one thread at a
 * time.
 *
 * <p>A heap of the ones kept with the smallest on top: nearly all of a vocabulary is refused by one
 * comparison, so 128,256 logits are never sorted.
 */
public final class LargestLogits {
  private long[] heap = {};
  private int count;
  private int size;
  private float smallest;

  /**
   * Returns the ids of the largest logits, largest first.
   *
   * @param count all logits if they are fewer
   */
  public static int[] select(float[] logits, int count) {
    LargestLogits largest = new LargestLogits();
    largest.start(Math.min(count, logits.length));
    for (int id = 0; id < logits.length; id++) {
      largest.offer(logits[id], id);
    }
    largest.sort();
    return largest.ids();
  }

  /** Starts anew; allocates only if more are to be kept than ever before. */
  public void start(int toKeep) {
    if (heap.length < toKeep) {
      heap = new long[toKeep];
    }
    count = toKeep;
    size = 0;
    smallest = Float.NEGATIVE_INFINITY;
  }

  public void offer(float logit, int id) {
    // Not a number takes the long way.
    if (size == count && logit < smallest) {
      return;
    }
    offer(LogitOrder.key(logit, id));
  }

  /** Offers all that another one has kept. */
  public void offerAll(LargestLogits other) {
    for (int i = 0; i < other.size; i++) {
      offer(other.heap[i]);
    }
  }

  /** Puts the ones kept into order; after it only reads, until the next start. */
  public void sort() {
    Arrays.sort(heap, 0, size);
  }

  /** How many are kept. */
  public int size() {
    return size;
  }

  /** Returns the ids kept, largest logit first, after sort(). */
  public int[] ids() {
    int[] ids = new int[size];
    for (int i = 0; i < size; i++) {
      ids[i] = LogitOrder.id(heap[size - 1 - i]);
    }
    return ids;
  }

  /** Returns the logits kept, largest first, after sort(). */
  public float[] logits() {
    float[] logits = new float[size];
    for (int i = 0; i < size; i++) {
      logits[i] = LogitOrder.logit(heap[size - 1 - i]);
    }
    return logits;
  }

  private void offer(long key) {
    if (size < count) {
      heap[size] = key;
      raise(size);
      size++;
    } else if (count > 0 && key > heap[0]) {
      replaceSmallest(key);
    } else {
      return;
    }
    if (size == count) {
      smallest = LogitOrder.logit(heap[0]);
    }
  }

  private void raise(int from) {
    long key = heap[from];
    int at = from;
    while (at > 0 && heap[(at - 1) / 2] > key) {
      heap[at] = heap[(at - 1) / 2];
      at = (at - 1) / 2;
    }
    heap[at] = key;
  }

  private void replaceSmallest(long key) {
    int at = 0;
    while (2 * at + 1 < size) {
      int child = 2 * at + 1;
      if (child + 1 < size && heap[child + 1] < heap[child]) {
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
}
