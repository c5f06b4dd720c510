package dev.caravan.model.checkpoint;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Draws random weights straight into the blocks of a type: no float is made and quantised, so that
 * a gigabyte takes about a second.
 *
 * <p>The numbers have mean 0 and a given standard deviation. They depend on the seed alone.
 * Immutable.
 */
public final class RandomBlocks {
  private static final long GOLDEN_GAMMA = 0x9e3779b97f4a7c15L;

  /** Of a nibble minus 7.5, and about that of a nibble minus 8. */
  private static final double NIBBLE_DEVIATION = Math.sqrt((16 * 16 - 1) / 12.0);

  /** Of an odd number in [-127, 127]. */
  private static final double ODD_BYTE_DEVIATION = Math.sqrt((128 * 128 - 1) / 3.0);

  /** Of a number in [-32, 31]. */
  private static final double SIX_BIT_DEVIATION = Math.sqrt((64 * 64 + 2) / 12.0);

  /** Root mean square of 32..63, drawn as 6-bit scales. */
  private static final double SIX_BIT_SCALE = 48.4;

  /** Root mean square of 64..127, drawn as 8-bit scales. */
  private static final double EIGHT_BIT_SCALE = 97.3;

  /** Of a uniform number in [-2^31, 2^31). */
  private static final double INT_DEVIATION = Math.pow(2, 31) / Math.sqrt(3);

  private final DType dtype;
  private final double deviation;

  /**
   * @param deviation standard deviation of the weights; about 1 / sqrt(columns) keeps a product as
   *     large as its input
   * @throws IllegalArgumentException for a type that it cannot draw: Q5_K
   */
  public RandomBlocks(DType dtype, double deviation) {
    if (dtype == DType.Q5_K) {
      throw new IllegalArgumentException("random weights in Q5_K are not supported");
    }
    this.dtype = dtype;
    this.deviation = deviation;
  }

  /**
   * Fills a buffer with whole blocks, little endian.
   *
   * @param target a multiple of the type's block bytes long
   */
  public void fill(byte[] target, int bytes, long seed) {
    if (bytes % dtype.blockBytes() != 0 || bytes > target.length) {
      throw new IllegalArgumentException(
          "%d bytes of %d are not whole %s blocks of %d"
              .formatted(bytes, target.length, dtype, dtype.blockBytes()));
    }
    ByteBuffer out = ByteBuffer.wrap(target).order(ByteOrder.LITTLE_ENDIAN);
    Source source = new Source(seed);
    for (int at = 0; at < bytes; at += dtype.blockBytes()) {
      switch (dtype) {
        case F32 -> out.putFloat(at, uniform(source));
        case F16 -> out.putShort(at, Float.floatToFloat16(uniform(source)));
        case BF16 -> out.putShort(at, (short) (Float.floatToRawIntBits(uniform(source)) >>> 16));
        case Q8_0 -> q8(out, at, source);
        case Q4_0 -> q4(out, at, source);
        case Q4_K -> q4K(out, at, source);
        case Q6_K -> q6K(out, at, source);
        case Q5_K -> throw new IllegalStateException("refused by the constructor");
      }
    }
  }

  /** Scrambles a number: seeds that follow each other give streams that have nothing in common. */
  public static long mix(long number) {
    long z = (number ^ number >>> 30) * 0xbf58476d1ce4e5b9L;
    z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
    return z ^ z >>> 31;
  }

  private float uniform(Source source) {
    return (float) ((int) (source.next() >>> 32) * (deviation / INT_DEVIATION));
  }

  private void q8(ByteBuffer out, int at, Source source) {
    out.putShort(at, scale(deviation / ODD_BYTE_DEVIATION, source.next()));
    for (int i = 2; i < DType.Q8_0.blockBytes(); i += Long.BYTES) {
      // Odd numbers: never -128, which no quantiser writes, and of mean 0.
      out.putLong(at + i, source.next() | 0x0101010101010101L);
    }
  }

  private void q4(ByteBuffer out, int at, Source source) {
    out.putShort(at, scale(deviation / NIBBLE_DEVIATION, source.next()));
    out.putLong(at + 2, source.next());
    out.putLong(at + 10, source.next());
  }

  /** Minima of 7.5 scales: mean 0. */
  private void q4K(ByteBuffer out, int at, Source source) {
    double unit = deviation / NIBBLE_DEVIATION / SIX_BIT_SCALE;
    out.putShort(at, Float.floatToFloat16((float) unit));
    out.putShort(at + 2, Float.floatToFloat16((float) (7.5 * unit)));
    // Sub-blocks 0..3 have scale and minimum 32 + 5 random bits in a byte each; of 4..7 these bytes
    // hold the two high bits, binary 10 or 11, and a third byte the low nibbles of both.
    int low = ((int) source.next() & 0x1f1f1f1f) | 0x20202020;
    long second = source.next();
    int highBits = ((int) second & 0x40404040) | 0x80808080;
    int nibbles = (int) (second >>> 32) & 0x0f0f0f0f;
    out.putInt(at + 4, low | highBits);
    out.putInt(at + 8, low | highBits);
    out.putInt(at + 12, nibbles | nibbles << 4);
    for (int i = 16; i < DType.Q4_K.blockBytes(); i += Long.BYTES) {
      out.putLong(at + i, source.next());
    }
  }

  /** Scales of either sign: mean 0. */
  private void q6K(ByteBuffer out, int at, Source source) {
    for (int i = 0; i < 192; i += Long.BYTES) {
      out.putLong(at + i, source.next());
    }
    for (int i = 192; i < 208; i++) {
      int bits = (int) source.next();
      int magnitude = 64 | (bits & 63);
      out.put(at + i, (byte) ((bits & 64) == 0 ? magnitude : -magnitude));
    }
    double unit = deviation / SIX_BIT_DEVIATION / EIGHT_BIT_SCALE;
    out.putShort(at + 208, Float.floatToFloat16((float) unit));
  }

  /** A scale of random sign, so that an offset of the numbers it multiplies cancels. */
  private static short scale(double magnitude, long bits) {
    // Between 0.75 and 1.25 times; the root mean square of that is 1.01.
    double factor = 0.75 + (bits & 0xffff) * 0x1p-17;
    return Float.floatToFloat16((float) (bits < 0 ? -magnitude * factor : magnitude * factor));
  }

  /** SplitMix64 (Steele, Lea, Flood, 2014): the same on every JDK. */
  private static final class Source {
    private long state;

    Source(long seed) {
      state = seed;
    }

    long next() {
      state += GOLDEN_GAMMA;
      return mix(state);
    }
  }
}
