package dev.caravan.worker.kvcache;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Unpacked floats. */
record FloatKvLayout(int headDim, int dim) implements KvLayout {

  @Override
  public long headBytes() {
    return (long) dim * LINE_BYTES;
  }

  @Override
  public void putKey(MemorySegment slab, long to, int slot, MemorySegment x, long from) {
    for (int d = 0; d < headDim; d++) {
      float number = x.get(ValueLayout.JAVA_FLOAT, from + 4L * d);
      slab.set(ValueLayout.JAVA_FLOAT, to + at(KvLayout.keyLine(d), slot), number);
    }
  }

  @Override
  public void putValue(MemorySegment slab, long to, int slot, MemorySegment x, long from) {
    for (int d = 0; d < headDim; d++) {
      float number = x.get(ValueLayout.JAVA_FLOAT, from + 4L * d);
      slab.set(ValueLayout.JAVA_FLOAT, to + at(KvLayout.valueLine(slot, d), d % LANES), number);
    }
  }

  @Override
  public float key(MemorySegment slab, long keys, int slot, int d) {
    return slab.get(ValueLayout.JAVA_FLOAT, keys + at(KvLayout.keyLine(d), slot));
  }

  @Override
  public float value(MemorySegment slab, long values, int slot, int d) {
    return slab.get(ValueLayout.JAVA_FLOAT, values + at(KvLayout.valueLine(slot, d), d % LANES));
  }

  private static long at(int line, int lane) {
    return (long) line * LINE_BYTES + 4L * lane;
  }
}
