package dev.caravan.worker.kvcache;

import dev.caravan.worker.tensor.Activations;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * Keys and values of past positions, in blocks of 16 positions, off heap.
 *
 * <p>A block of a layer holds for each key-value head, with dim = headDim rounded up to 16:
 *
 * <ul>
 *   <li>F32: keys [dim][16 positions] floats, then values [16 positions][dim] floats
 *   <li>F16: keys [dim / 2][16 positions] ints, the even dimension in the low half; then values [8
 *       position pairs][dim] ints, the even position in the low half
 * </ul>
 *
 * so that a vector lane is a position for scores and a dimension for the weighted sum. Memory comes
 * in slabs of about 1 MiB, when a block of it is first written; nothing is ever given back before
 * the arena closes. Thread-safe for appends to different slots; a reader must come after the
 * appends it wants to see.
 */
public final class PagedKvCache {
  /** Positions of a block. */
  public static final int BLOCK_POSITIONS = 16;

  private static final int DIM_ALIGNMENT = 16;
  private static final long SLAB_BYTES = 1 << 20;
  private static final long BYTE_ALIGNMENT = 64;
  private static final float LARGEST_F16 = 65504f;

  private final Arena arena;
  private final KvShape shape;
  private final int dim;
  private final long headBytes;
  private final long blockBytes;
  private final int slabBlocks;
  private final @Nullable MemorySegment[][] slabs;
  private long bytes;

  /**
   * Reserves nothing yet.
   *
   * @param arena shared, owns the slabs
   */
  public PagedKvCache(Arena arena, KvShape shape) {
    this.arena = arena;
    this.shape = shape;
    this.dim = Math.ceilDiv(shape.headDim(), DIM_ALIGNMENT) * DIM_ALIGNMENT;
    this.headBytes = (long) dim * BLOCK_POSITIONS * shape.type().bytes();
    this.blockBytes = 2 * headBytes * shape.kvHeads();
    this.slabBlocks = (int) Math.clamp(SLAB_BYTES / blockBytes, 1, shape.blocks());
    this.slabs = new MemorySegment[shape.layers()][Math.ceilDiv(shape.blocks(), slabBlocks)];
  }

  public KvShape shape() {
    return shape;
  }

  /** headDim rounded up to 16: numbers from one row of keys or values to the next. */
  public int paddedHeadDim() {
    return dim;
  }

  /** Bytes of memory taken so far. */
  public synchronized long bytes() {
    return bytes;
  }

  /** Bytes of memory when every block has been used. */
  public long maxBytes() {
    return blockBytes * slabBlocks * slabs.length * slabs[0].length;
  }

  /**
   * Stores the keys and values of one position.
   *
   * @param slot in the block, [0, 16)
   * @param k [rows, kvHeads * headDim], already rotated
   * @param v as k
   * @param row of k and v
   */
  public void append(int layer, int block, int slot, Activations k, Activations v, int row) {
    if (block < 0 || block >= shape.blocks() || slot < 0 || slot >= BLOCK_POSITIONS) {
      throw new IllegalArgumentException(
          "block %d, slot %d of a cache of %d blocks of %d positions"
              .formatted(block, slot, shape.blocks(), BLOCK_POSITIONS));
    }
    MemorySegment slab = slabForWriting(layer, block);
    for (int head = 0; head < shape.kvHeads(); head++) {
      long source = (long) head * shape.headDim() * Float.BYTES + k.offset(row);
      long sourceOfValues = (long) head * shape.headDim() * Float.BYTES + v.offset(row);
      long keys = keyOffset(block, head);
      switch (shape.type()) {
        case F32 -> {
          putKeys(slab, keys, slot, k.data(), source);
          long values = keys + headBytes + (long) slot * dim * Float.BYTES;
          long count = (long) shape.headDim() * Float.BYTES;
          MemorySegment.copy(v.data(), sourceOfValues, slab, values, count);
        }
        case F16 -> {
          putHalfKeys(slab, keys, slot, k.data(), source);
          putHalfValues(slab, keys + headBytes, slot, v.data(), sourceOfValues);
        }
      }
    }
  }

  /**
   * Returns the memory that holds a block of a layer.
   *
   * @throws IllegalStateException if nothing was ever written to it
   */
  public MemorySegment slab(int layer, int block) {
    MemorySegment slab = slabs[layer][block / slabBlocks];
    if (slab == null) {
      throw new IllegalStateException("block %d of layer %d is empty".formatted(block, layer));
    }
    return slab;
  }

  /** Byte offset in its slab of a block's keys of one head. */
  public long keyOffset(int block, int kvHead) {
    return (block % slabBlocks) * blockBytes + 2 * headBytes * kvHead;
  }

  /** Byte offset in its slab of a block's values of one head. */
  public long valueOffset(int block, int kvHead) {
    return keyOffset(block, kvHead) + headBytes;
  }

  private MemorySegment slabForWriting(int layer, int block) {
    MemorySegment slab = slabs[layer][block / slabBlocks];
    return slab != null ? slab : allocate(layer, block / slabBlocks);
  }

  private synchronized MemorySegment allocate(int layer, int index) {
    MemorySegment slab = slabs[layer][index];
    if (slab == null) {
      slab = arena.allocate(slabBlocks * blockBytes, BYTE_ALIGNMENT);
      slabs[layer][index] = slab;
      bytes += slab.byteSize();
    }
    return slab;
  }

  private void putKeys(MemorySegment slab, long keys, int slot, MemorySegment k, long source) {
    for (int d = 0; d < shape.headDim(); d++) {
      float value = k.get(ValueLayout.JAVA_FLOAT, source + 4L * d);
      slab.set(ValueLayout.JAVA_FLOAT, keys + 4L * (d * BLOCK_POSITIONS + slot), value);
    }
  }

  private void putHalfKeys(MemorySegment slab, long keys, int slot, MemorySegment k, long source) {
    for (int d = 0; d < shape.headDim(); d++) {
      short value = toHalf(k.get(ValueLayout.JAVA_FLOAT, source + 4L * d));
      long word = 4L * ((d >> 1) * BLOCK_POSITIONS + slot);
      slab.set(ValueLayout.JAVA_SHORT, keys + word + 2L * (d & 1), value);
    }
  }

  private void putHalfValues(
      MemorySegment slab, long values, int slot, MemorySegment v, long source) {
    long first = values + 4L * (slot >> 1) * dim + 2L * (slot & 1);
    for (int d = 0; d < shape.headDim(); d++) {
      short value = toHalf(v.get(ValueLayout.JAVA_FLOAT, source + 4L * d));
      slab.set(ValueLayout.JAVA_SHORT, first + 4L * d, value);
    }
  }

  private static short toHalf(float value) {
    return Float.floatToFloat16(Math.clamp(value, -LARGEST_F16, LARGEST_F16));
  }
}
