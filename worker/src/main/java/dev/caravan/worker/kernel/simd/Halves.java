package dev.caravan.worker.kernel.simd;

/** How half floats become floats: their bits at their place in a float are the value / 2^112. */
final class Halves {
  /** Sign, exponent and fraction of a half shifted right by 3 from the top of a word. */
  static final int MASK = 0x8fffe000;

  static final float SCALE = 0x1p112f;

  private Halves() {}
}
