package dev.caravan.worker.kvcache;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Half floats, two lines in one, rounded to nearest even; beyond the range the largest number. */
record HalfKvLayout(int headDim, int dim) implements KvLayout {
  private static final float LARGEST = 65504f;

  @Override
  public long headBytes() {
    return (long) dim / 2 * LINE_BYTES;
  }

  @Override
  public void putKey(MemorySegment slab, long to, int slot, MemorySegment x, long from) {
    for (int d = 0; d < headDim; d++) {
      short half = toHalf(x.get(ValueLayout.JAVA_FLOAT, from + 4L * d));
      slab.set(ValueLayout.JAVA_SHORT, to + at(KvLayout.keyLine(d), slot), half);
    }
  }

  @Override
  public void putValue(MemorySegment slab, long to, int slot, MemorySegment x, long from) {
    for (int d = 0; d < headDim; d++) {
      short half = toHalf(x.get(ValueLayout.JAVA_FLOAT, from + 4L * d));
      slab.set(ValueLayout.JAVA_SHORT, to + at(KvLayout.valueLine(slot, d), d % LANES), half);
    }
  }

  @Override
  public float key(MemorySegment slab, long keys, int slot, int d) {
    return toFloat(slab.get(ValueLayout.JAVA_SHORT, keys + at(KvLayout.keyLine(d), slot)));
  }

  @Override
  public float value(MemorySegment slab, long values, int slot, int d) {
    long at = at(KvLayout.valueLine(slot, d), d % LANES);
    return toFloat(slab.get(ValueLayout.JAVA_SHORT, values + at));
  }

  private static short toHalf(float number) {
    return Float.floatToFloat16(Math.clamp(number, -LARGEST, LARGEST));
  }

  /**
   * Bits that would mean infinity or not a number read as numbers from 65536 on, as the vector
   * kernels read them: a row that wrote such bits is lost already.
   */
  private static float toFloat(short half) {
    return Float.intBitsToFloat(half << 16 >> 3 & 0x8fffe000) * 0x1p112f;
  }

  private static long at(int line, int lane) {
    return (long) (line / 2) * LINE_BYTES + 4L * lane + 2L * (line % 2);
  }
}
