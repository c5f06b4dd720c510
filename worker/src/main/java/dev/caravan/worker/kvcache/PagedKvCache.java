package dev.caravan.worker.kvcache;

import dev.caravan.worker.tensor.Activations;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Keys and values of past positions, in blocks of 16 positions, off heap.
 *
 * <p>A block of a layer holds for each key-value head its keys, then its values, each as {@link
 * KvLayout} says. Memory comes in slabs of about 1 MiB, when a block of it is first written;
 * nothing is ever given back before the arena closes. Thread-safe for appends to different slots; a
 * reader must come after the appends it wants to see.
 */
public final class PagedKvCache {
  /** Positions of a block. */
  public static final int BLOCK_POSITIONS = 16;

  private static final int DIM_ALIGNMENT = 16;
  private static final long SLAB_BYTES = 1 << 20;
  private static final long BYTE_ALIGNMENT = 64;

  private final Arena arena;
  private final KvShape shape;
  private final int dim;
  private final KvLayout layout;
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
    this.layout = shape.type().layout(shape.headDim(), dim);
    this.headBytes = layout.headBytes();
    this.blockBytes = 2 * headBytes * shape.kvHeads();
    this.slabBlocks = (int) Math.clamp(SLAB_BYTES / blockBytes, 1, shape.blocks());
    this.slabs = new MemorySegment[shape.layers()][Math.ceilDiv(shape.blocks(), slabBlocks)];
  }

  public KvShape shape() {
    return shape;
  }

  /** How a block's keys or values of one head lie in memory. */
  public KvLayout layout() {
    return layout;
  }

  /** headDim rounded up to 16. */
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
      layout.putKey(slab, keys, slot, k.data(), source);
      layout.putValue(slab, keys + headBytes, slot, v.data(), sourceOfValues);
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
}
