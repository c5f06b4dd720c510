package dev.caravan.worker.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** F32: {@code [column][16 rows]} floats, columns padded to a multiple of 32. Immutable. */
public final class F32Layout implements WeightLayout {
  static final F32Layout INSTANCE = new F32Layout();

  private F32Layout() {}

  @Override
  public long groupBytes(int columns) {
    return (long) WeightLayout.blocks(columns) * BLOCK_COLUMNS * LINE_BYTES;
  }

  @Override
  public boolean hasScale() {
    return false;
  }

  @Override
  public int pack(MemorySegment row, int columns, MemorySegment group, int lane) {
    int notFinite = -1;
    for (int k = 0; k < columns; k++) {
      int bits = Bits.fileInt(row, 4L * k);
      if (!Float.isFinite(Float.intBitsToFloat(bits)) && notFinite < 0) {
        notFinite = k;
      }
      Bits.putInt(group, (long) k * LINE_BYTES + 4L * lane, bits);
    }
    return notFinite;
  }

  @Override
  public float quant(MemorySegment group, int lane, int column) {
    return group.get(ValueLayout.JAVA_FLOAT, (long) column * LINE_BYTES + 4L * lane);
  }

  @Override
  public float scale(MemorySegment group, int lane, int column) {
    return 1f;
  }
}
