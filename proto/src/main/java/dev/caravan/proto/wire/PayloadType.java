package dev.caravan.proto.wire;

/** How activations travel between workers; they are f32 on both sides. */
public enum PayloadType {
  /** As they are. */
  F32,
  /** The upper half of each f32, rounded to nearest even. */
  BF16,
  /** Blocks of 32 along the row: one f32 scale and 32 int8. */
  Q8;

  /** Values of a row that share one scale in {@link #Q8}. */
  public static final int BLOCK = 32;

  private static final int Q8_BLOCK_BYTES = Float.BYTES + BLOCK;

  /** Returns the bytes of one row; a short last block of {@link #Q8} is padded. */
  public long rowBytes(int columns) {
    return switch (this) {
      case F32 -> (long) columns * Float.BYTES;
      case BF16 -> (long) columns * Short.BYTES;
      case Q8 -> (long) Math.ceilDiv(columns, BLOCK) * Q8_BLOCK_BYTES;
    };
  }
}
