package dev.caravan.coordinator.text;

import java.util.Arrays;

/**
 * Byte-pair encoding of one run of symbols: merges the neighbours of the lowest rank, leftmost
 * first, until none merge. Confined to one call.
 *
 * <p>O(n log n) by a heap of candidates over a linked list of symbols, so that a megabyte without a
 * break is no attack. An outdated candidate stays in the heap and is dropped when it comes up.
 */
final class PairMerger {
  /** Takes the place of a symbol that was merged into its left neighbour. */
  private static final int MERGED_AWAY = Integer.MIN_VALUE;

  private final PairTable pairs;
  private final int[] symbols;
  private final int count;
  private final int[] previous;
  private final int[] next;
  private long[] heap;
  private int heapSize;

  private PairMerger(PairTable pairs, int[] symbols, int count) {
    this.pairs = pairs;
    this.symbols = symbols;
    this.count = count;
    this.previous = new int[count + 1];
    this.next = new int[count + 1];
    this.heap = new long[count + 1];
  }

  /**
   * Merges in place.
   *
   * @param symbols [count]; overwritten from the front
   * @return how many are left
   */
  static int merge(PairTable pairs, int[] symbols, int count) {
    return count < 2 ? count : new PairMerger(pairs, symbols, count).run();
  }

  private int run() {
    for (int i = 0; i < count; i++) {
      previous[i] = i - 1;
      next[i] = i + 1;
    }
    for (int i = 0; i + 1 < count; i++) {
      offer(i, i + 1);
    }
    while (heapSize > 0) {
      long candidate = poll();
      int left = (int) candidate;
      if (symbols[left] == MERGED_AWAY || next[left] == count) {
        continue;
      }
      long found = pairs.find(symbols[left], symbols[next[left]]);
      if (found != PairTable.NONE && PairTable.rank(found) == (int) (candidate >>> 32)) {
        join(left, PairTable.merged(found));
      }
    }
    int kept = 0;
    for (int i = 0; i < count; i = next[i]) {
      symbols[kept++] = symbols[i];
    }
    return kept;
  }

  private void join(int left, int merged) {
    int right = next[left];
    symbols[left] = merged;
    symbols[right] = MERGED_AWAY;
    next[left] = next[right];
    previous[next[right]] = left;
    if (previous[left] >= 0) {
      offer(previous[left], left);
    }
    if (next[left] < count) {
      offer(left, next[left]);
    }
  }

  /** A candidate is its rank above its position: the smallest is the lowest rank, leftmost. */
  private void offer(int left, int right) {
    long found = pairs.find(symbols[left], symbols[right]);
    if (found == PairTable.NONE) {
      return;
    }
    if (heapSize == heap.length) {
      heap = Arrays.copyOf(heap, heap.length * 2);
    }
    long candidate = (long) PairTable.rank(found) << 32 | left;
    int at = heapSize++;
    while (at > 0 && heap[(at - 1) >>> 1] > candidate) {
      heap[at] = heap[(at - 1) >>> 1];
      at = (at - 1) >>> 1;
    }
    heap[at] = candidate;
  }

  private long poll() {
    long smallest = heap[0];
    long moved = heap[--heapSize];
    int at = 0;
    while (2 * at + 1 < heapSize) {
      int child = 2 * at + 1;
      if (child + 1 < heapSize && heap[child + 1] < heap[child]) {
        child++;
      }
      if (heap[child] >= moved) {
        break;
      }
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = moved;
    return smallest;
  }
}
