package dev.caravan.proto.wire;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Writes rows of f32 as the payload of a frame and reads them back. Stateless.
 *
 * <p>Payload: row after row without gaps, each of {@link PayloadType#rowBytes} bytes,
 * little-endian. A NaN stays a NaN; in {@link PayloadType#Q8} a NaN or an infinity makes its whole
 * block NaN.
 */
public final class TensorCodec {
  // Payloads lie at any address of a byte array.
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat VALUE = ValueLayout.JAVA_FLOAT_UNALIGNED;
  private static final int BLOCK = PayloadType.BLOCK;
  private static final float MAX_INT8 = 127f;

  private TensorCodec() {}

  /**
   * Writes x to the payload.
   *
   * @param payload at least type.rowBytes(x.columns()) * x.rows() bytes after the offset
   */
  public static void encode(
      PayloadType type, TensorView x, MemorySegment payload, long payloadOffset) {
    long rowBytes = type.rowBytes(x.columns());
    for (int row = 0; row < x.rows(); row++) {
      long from = x.rowOffset(row);
      long to = payloadOffset + row * rowBytes;
      switch (type) {
        case F32 -> encodeF32(x.data(), from, x.columns(), payload, to);
        case BF16 -> encodeBf16(x.data(), from, x.columns(), payload, to);
        case Q8 -> encodeQ8(x.data(), from, x.columns(), payload, to);
      }
    }
  }

  /** Replaces x by the payload. */
  public static void decode(
      PayloadType type, MemorySegment payload, long payloadOffset, TensorView x) {
    long rowBytes = type.rowBytes(x.columns());
    for (int row = 0; row < x.rows(); row++) {
      long from = payloadOffset + row * rowBytes;
      long to = x.rowOffset(row);
      switch (type) {
        case F32 -> decodeF32(payload, from, x.columns(), x.data(), to);
        case BF16 -> decodeBf16(payload, from, x.columns(), x.data(), to);
        case Q8 -> decodeQ8(payload, from, x.columns(), x.data(), to);
      }
    }
  }

  /** Adds the payload to x: x + payload, in f32. */
  public static void decodeAdd(
      PayloadType type, MemorySegment payload, long payloadOffset, TensorView x) {
    long rowBytes = type.rowBytes(x.columns());
    for (int row = 0; row < x.rows(); row++) {
      long from = payloadOffset + row * rowBytes;
      long to = x.rowOffset(row);
      switch (type) {
        case F32 -> addF32(payload, from, x.columns(), x.data(), to);
        case BF16 -> addBf16(payload, from, x.columns(), x.data(), to);
        case Q8 -> addQ8(payload, from, x.columns(), x.data(), to);
      }
    }
  }

  private static void encodeF32(
      MemorySegment x, long from, int columns, MemorySegment payload, long to) {
    MemorySegment.copy(x, VALUE, from, payload, FLOAT, to, columns);
  }

  private static void decodeF32(
      MemorySegment payload, long from, int columns, MemorySegment x, long to) {
    MemorySegment.copy(payload, FLOAT, from, x, VALUE, to, columns);
  }

  private static void addF32(
      MemorySegment payload, long from, int columns, MemorySegment x, long to) {
    for (int i = 0; i < columns; i++) {
      long at = to + (long) i * Float.BYTES;
      x.set(VALUE, at, x.get(VALUE, at) + payload.get(FLOAT, from + (long) i * Float.BYTES));
    }
  }

  private static void encodeBf16(
      MemorySegment x, long from, int columns, MemorySegment payload, long to) {
    for (int i = 0; i < columns; i++) {
      float value = x.get(VALUE, from + (long) i * Float.BYTES);
      payload.set(SHORT, to + (long) i * Short.BYTES, toBf16(value));
    }
  }

  private static void decodeBf16(
      MemorySegment payload, long from, int columns, MemorySegment x, long to) {
    for (int i = 0; i < columns; i++) {
      float value = fromBf16(payload.get(SHORT, from + (long) i * Short.BYTES));
      x.set(VALUE, to + (long) i * Float.BYTES, value);
    }
  }

  private static void addBf16(
      MemorySegment payload, long from, int columns, MemorySegment x, long to) {
    for (int i = 0; i < columns; i++) {
      long at = to + (long) i * Float.BYTES;
      float value = fromBf16(payload.get(SHORT, from + (long) i * Short.BYTES));
      x.set(VALUE, at, x.get(VALUE, at) + value);
    }
  }

  static short toBf16(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      // Rounding could carry a NaN's payload into the exponent and make it an infinity.
      return (short) ((bits >>> 16) | 0x40);
    }
    return (short) ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16);
  }

  static float fromBf16(short bits) {
    return Float.intBitsToFloat(bits << 16);
  }

  private static void encodeQ8(
      MemorySegment x, long from, int columns, MemorySegment payload, long to) {
    long at = to;
    for (int start = 0; start < columns; start += BLOCK) {
      int count = Math.min(BLOCK, columns - start);
      encodeQ8Block(x, from + (long) start * Float.BYTES, count, payload, at);
      at += Float.BYTES + BLOCK;
    }
  }

  private static void encodeQ8Block(
      MemorySegment x, long from, int count, MemorySegment payload, long to) {
    // As integers magnitudes compare like the floats, NaN above all; the loop is vectorised.
    int largestBits = 0;
    for (int i = 0; i < count; i++) {
      int bits = Float.floatToRawIntBits(x.get(VALUE, from + (long) i * Float.BYTES));
      largestBits = Math.max(largestBits, bits & 0x7fffffff);
    }
    float largest = Float.intBitsToFloat(largestBits);
    float scale = largest / MAX_INT8;
    float inverse = MAX_INT8 / largest;
    // Below 2^-121 the inverse overflows: such a block is rounded to zero.
    boolean zero = Float.isInfinite(inverse);
    payload.set(FLOAT, to, zero ? 0 : Float.isInfinite(scale) ? Float.NaN : scale);
    long values = to + Float.BYTES;
    payload.asSlice(values, BLOCK).fill((byte) 0);
    for (int i = 0; i < count && !zero; i++) {
      float value = x.get(VALUE, from + (long) i * Float.BYTES) * inverse;
      payload.set(ValueLayout.JAVA_BYTE, values + i, (byte) (int) Math.rint(value));
    }
  }

  private static void decodeQ8(
      MemorySegment payload, long from, int columns, MemorySegment x, long to) {
    long at = from;
    for (int start = 0; start < columns; start += BLOCK) {
      float scale = payload.get(FLOAT, at);
      int count = Math.min(BLOCK, columns - start);
      for (int i = 0; i < count; i++) {
        float value = scale * payload.get(ValueLayout.JAVA_BYTE, at + Float.BYTES + i);
        x.set(VALUE, to + (long) (start + i) * Float.BYTES, value);
      }
      at += Float.BYTES + BLOCK;
    }
  }

  private static void addQ8(
      MemorySegment payload, long from, int columns, MemorySegment x, long to) {
    long at = from;
    for (int start = 0; start < columns; start += BLOCK) {
      float scale = payload.get(FLOAT, at);
      int count = Math.min(BLOCK, columns - start);
      for (int i = 0; i < count; i++) {
        long target = to + (long) (start + i) * Float.BYTES;
        // A plain multiply and add, never fused: every rank must round in the same way.
        float value = scale * payload.get(ValueLayout.JAVA_BYTE, at + Float.BYTES + i);
        x.set(VALUE, target, x.get(VALUE, target) + value);
      }
      at += Float.BYTES + BLOCK;
    }
  }
}
