package dev.caravan.coordinator.text;

import java.util.Arrays;

/**
 * Which two neighbouring symbols merge, in what order, into which symbol. Filled once, then
 * read-only.
 *
 * <p>A hash table with open addressing over primitive arrays: Llama 3 has 280,147 pairs, and every
 * character of a prompt asks at least once.
 */
final class PairTable {
  /** What {@link #find} returns for a pair that does not merge. */
  static final long NONE = -1;

  private static final int INITIAL_SLOTS = 64;

  private long[] keys = new long[INITIAL_SLOTS];
  private long[] values = new long[INITIAL_SLOTS];
  private int size;

  PairTable() {
    Arrays.fill(values, NONE);
  }

  /** Adds a pair; of two with the same symbols the one with the lower rank stays. */
  void put(int left, int right, int rank, int merged) {
    if (2 * size >= keys.length) {
      grow();
    }
    long key = key(left, right);
    int slot = slot(key);
    if (values[slot] == NONE) {
      size++;
    } else if (rank(values[slot]) <= rank) {
      return;
    }
    keys[slot] = key;
    values[slot] = (long) rank << 32 | merged;
  }

  private void grow() {
    long[] oldKeys = keys;
    long[] oldValues = values;
    keys = new long[oldKeys.length * 2];
    values = new long[keys.length];
    Arrays.fill(values, NONE);
    for (int i = 0; i < oldKeys.length; i++) {
      if (oldValues[i] != NONE) {
        int slot = slot(oldKeys[i]);
        keys[slot] = oldKeys[i];
        values[slot] = oldValues[i];
      }
    }
  }

  /** Returns rank and merged symbol of a pair, or {@link #NONE}. */
  long find(int left, int right) {
    return values[slot(key(left, right))];
  }

  static int rank(long found) {
    return (int) (found >>> 32);
  }

  static int merged(long found) {
    return (int) found;
  }

  private static long key(int left, int right) {
    return (long) left << 32 | (right & 0xFFFFFFFFL);
  }

  /** Returns where a key is, or the free slot where it belongs. */
  private int slot(long key) {
    int mask = keys.length - 1;
    long mixed = key * 0x9E3779B97F4A7C15L;
    int slot = (int) (mixed >>> 32 ^ mixed >>> 53) & mask;
    while (values[slot] != NONE && keys[slot] != key) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }
}
