package dev.caravan.worker.tensor;

import java.lang.foreign.MemorySegment;

/**
 * F16 and BF16: {@code [column / 2][16 rows]} ints, the even column in the low half, the odd one in
 * the high half; columns padded to a multiple of 32. Immutable.
 */
public final class HalfLayout implements WeightLayout {
  static final HalfLayout F16 = new HalfLayout(false);
  static final HalfLayout BF16 = new HalfLayout(true);

  private final boolean brain;

  private HalfLayout(boolean brain) {
    this.brain = brain;
  }

  @Override
  public long groupBytes(int columns) {
    return (long) WeightLayout.blocks(columns) * (BLOCK_COLUMNS / 2) * LINE_BYTES;
  }

  @Override
  public boolean hasScale() {
    return false;
  }

  @Override
  public int pack(MemorySegment row, int columns, MemorySegment group, int lane) {
    int notFinite = -1;
    for (int k = 0; k < columns; k++) {
      short bits = Bits.fileShort(row, 2L * k);
      if (!(brain ? Bits.isFiniteBf16(bits) : Bits.isFiniteF16(bits)) && notFinite < 0) {
        notFinite = k;
      }
      Bits.putShort(group, offset(lane, k), bits);
    }
    return notFinite;
  }

  @Override
  public float quant(MemorySegment group, int lane, int column) {
    int word = Bits.getInt(group, (long) (column >> 1) * LINE_BYTES + 4L * lane);
    int bits = (column & 1) == 0 ? word << 16 : word & 0xffff0000;
    return brain ? Float.intBitsToFloat(bits) : Float.float16ToFloat((short) (bits >>> 16));
  }

  @Override
  public float scale(MemorySegment group, int lane, int column) {
    return 1f;
  }

  private static long offset(int lane, int column) {
    return (long) (column >> 1) * LINE_BYTES + 4L * lane + 2L * (column & 1);
  }
}
