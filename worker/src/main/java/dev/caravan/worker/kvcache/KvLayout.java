package dev.caravan.worker.kvcache;

import java.lang.foreign.MemorySegment;

/**
 * How one head's keys, or values, of a block of 16 positions lie in memory. Offsets are bytes.
 *
 * <p>A line holds 16 words of 32 bits, so that a vector lane is a position for scores and a
 * dimension for the weighted sum. Unpacked to floats, a block of keys is [dim][16 positions] and a
 * block of values [dim / 16][16 positions][16], dim = headDim rounded up to 16; narrower types pack
 * 2 or 4 neighbouring lines into one, the first in the lowest bits.
 *
 * <p>Immutable.
 */
public sealed interface KvLayout permits FloatKvLayout, HalfKvLayout, ByteKvLayout {

  /** Words of a line. */
  int LANES = 16;

  /** Bytes of a line. */
  int LINE_BYTES = LANES * Integer.BYTES;

  /** Bytes of a block's keys of one head; as many for its values. */
  long headBytes();

  /**
   * Stores one position's key.
   *
   * @param to the block's keys
   * @param slot in the block, [0, 16)
   * @param x floats, headDim of them from {@code from} on
   */
  void putKey(MemorySegment slab, long to, int slot, MemorySegment x, long from);

  /** As {@link #putKey}, for a value. */
  void putValue(MemorySegment slab, long to, int slot, MemorySegment x, long from);

  /** Returns the number of a key that all kernels must read. */
  float key(MemorySegment slab, long keys, int slot, int d);

  /** As {@link #key}, of a value. */
  float value(MemorySegment slab, long values, int slot, int d);

  /** Unpacked line of dimension d of a position's key, which is its lane. */
  static int keyLine(int d) {
    return d;
  }

  /** Unpacked line of a position's values of 16 dimensions; the lane is d mod 16. */
  static int valueLine(int slot, int d) {
    return d / LANES * PagedKvCache.BLOCK_POSITIONS + slot;
  }
}
