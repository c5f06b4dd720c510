package dev.caravan.worker.kvcache;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Bytes, four lines in one, and after them an f32 scale per position and 32 dimensions: [groups of
 * 32][16 positions]. The last group may be smaller.
 *
 * <p>scale = largest magnitude / 127, number = byte * scale, the byte rounded half to even. A group
 * with a number that is not finite reads as not a number.
 */
record ByteKvLayout(int headDim, int dim) implements KvLayout {
  private static final int GROUP = KvType.Q8_GROUP;
  private static final float LARGEST = 127f;

  @Override
  public long headBytes() {
    return scales() + (long) Math.ceilDiv(dim, GROUP) * LINE_BYTES;
  }

  @Override
  public void putKey(MemorySegment slab, long to, int slot, MemorySegment x, long from) {
    for (int start = 0; start < headDim; start += GROUP) {
      float scale = putScale(slab, to, slot, x, from, start);
      for (int d = start; d < Math.min(headDim, start + GROUP); d++) {
        byte number = toByte(x.get(ValueLayout.JAVA_FLOAT, from + 4L * d), scale);
        slab.set(ValueLayout.JAVA_BYTE, to + at(KvLayout.keyLine(d), slot), number);
      }
    }
  }

  @Override
  public void putValue(MemorySegment slab, long to, int slot, MemorySegment x, long from) {
    for (int start = 0; start < headDim; start += GROUP) {
      float scale = putScale(slab, to, slot, x, from, start);
      for (int d = start; d < Math.min(headDim, start + GROUP); d++) {
        byte number = toByte(x.get(ValueLayout.JAVA_FLOAT, from + 4L * d), scale);
        slab.set(ValueLayout.JAVA_BYTE, to + at(KvLayout.valueLine(slot, d), d % LANES), number);
      }
    }
  }

  @Override
  public float key(MemorySegment slab, long keys, int slot, int d) {
    byte number = slab.get(ValueLayout.JAVA_BYTE, keys + at(KvLayout.keyLine(d), slot));
    return number * slab.get(ValueLayout.JAVA_FLOAT, keys + scale(slot, d));
  }

  @Override
  public float value(MemorySegment slab, long values, int slot, int d) {
    long at = at(KvLayout.valueLine(slot, d), d % LANES);
    byte number = slab.get(ValueLayout.JAVA_BYTE, values + at);
    return number * slab.get(ValueLayout.JAVA_FLOAT, values + scale(slot, d));
  }

  private float putScale(
      MemorySegment slab, long to, int slot, MemorySegment x, long from, int start) {
    float largest = 0f;
    for (int d = start; d < Math.min(headDim, start + GROUP); d++) {
      largest = Math.max(largest, Math.abs(x.get(ValueLayout.JAVA_FLOAT, from + 4L * d)));
    }
    float scale = largest / LARGEST;
    slab.set(ValueLayout.JAVA_FLOAT, to + scale(slot, start), scale);
    return scale;
  }

  private static byte toByte(float number, float scale) {
    // Of the smallest numbers the scale itself is rounded: to 0, or so that a byte overflows.
    return scale == 0f ? 0 : (byte) Math.clamp(Math.rint(number / scale), -LARGEST, LARGEST);
  }

  private long scales() {
    return (long) dim / 4 * LINE_BYTES;
  }

  private long scale(int slot, int d) {
    return scales() + (long) (d / GROUP) * LINE_BYTES + 4L * slot;
  }

  private static long at(int line, int lane) {
    return (long) (line / 4) * LINE_BYTES + 4L * lane + line % 4;
  }
}
