package dev.caravan.worker.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Little-endian reads of checkpoint bytes, aligned writes of packed ones. */
final class Bits {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int F16_EXPONENT = 0x7c00;
  private static final int BF16_EXPONENT = 0x7f80;

  private Bits() {}

  static short fileShort(MemorySegment row, long offset) {
    return row.get(SHORT, offset);
  }

  static int fileInt(MemorySegment row, long offset) {
    return row.get(INT, offset);
  }

  static long fileLong(MemorySegment row, long offset) {
    return row.get(LONG, offset);
  }

  static int unsignedByte(MemorySegment row, long offset) {
    return row.get(ValueLayout.JAVA_BYTE, offset) & 0xff;
  }

  static int getInt(MemorySegment group, long offset) {
    return group.get(ValueLayout.JAVA_INT, offset);
  }

  static void putInt(MemorySegment group, long offset, int value) {
    group.set(ValueLayout.JAVA_INT, offset, value);
  }

  /** Adds bits to a word that several writes share. */
  static void orInt(MemorySegment group, long offset, int value) {
    putInt(group, offset, getInt(group, offset) | value);
  }

  static float getFloat(MemorySegment group, long offset) {
    return Float.intBitsToFloat(getInt(group, offset));
  }

  static void putFloat(MemorySegment group, long offset, float value) {
    putInt(group, offset, Float.floatToRawIntBits(value));
  }

  static float half(MemorySegment group, long offset) {
    return Float.float16ToFloat(group.get(ValueLayout.JAVA_SHORT, offset));
  }

  static void putShort(MemorySegment group, long offset, short value) {
    group.set(ValueLayout.JAVA_SHORT, offset, value);
  }

  static boolean isFiniteF16(short bits) {
    return (bits & F16_EXPONENT) != F16_EXPONENT;
  }

  static boolean isFiniteBf16(short bits) {
    return (bits & BF16_EXPONENT) != BF16_EXPONENT;
  }

  /** Packs the low (shift 0) or high (shift 4) nibbles of eight bytes into an int, in order. */
  static int nibbles(long eightBytes, int shift) {
    return (int) Long.compress(eightBytes >>> shift, 0x0f0f0f0f0f0f0f0fL);
  }
}
