package dev.caravan.worker.tensor;

/** A form of activations beside their values: what some kernels read instead of them. */
public enum InputForm {
  /** {@link MatmulInput#tiles}. */
  TILES,
  /** {@link MatmulInput#nibbleFactors}; int8 only. */
  NIBBLES,
  /** {@link MatmulInput#byteFactors}; int8 only. */
  BYTES,
  /** {@link MatmulInput#fiveBitFactors}; int8 only. */
  FIVE_BITS,
  /** {@link MatmulInput#sixBitFactors}; int8 only. */
  SIX_BITS;

  int bit() {
    return 1 << ordinal();
  }
}
