package dev.caravan.worker.kvcache;

/** How keys and values are stored. */
public enum KvType {
  F32,
  /** Rounded to nearest even; beyond the type's range the largest number, 65504. */
  F16,
  /** Bytes with one f32 scale per position and 32 dimensions of a head. */
  Q8;

  /** Dimensions of a head that share a scale. */
  public static final int Q8_GROUP = 32;

  /**
   * Returns the layout of a block.
   *
   * @param dim headDim rounded up to 16
   */
  KvLayout layout(int headDim, int dim) {
    return switch (this) {
      case F32 -> new FloatKvLayout(headDim, dim);
      case F16 -> new HalfKvLayout(headDim, dim);
      case Q8 -> new ByteKvLayout(headDim, dim);
    };
  }
}
