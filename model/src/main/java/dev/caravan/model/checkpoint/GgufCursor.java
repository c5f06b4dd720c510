package dev.caravan.model.checkpoint;

import dev.caravan.model.error.ClusterException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * Reads the little-endian values of a GGUF header one after the other, never beyond the file.
 *
 * <p>Every failed read is a CHECKPOINT_CORRUPT that names the file, the byte offset and what was
 * being read. Confined to one thread.
 */
final class GgufCursor {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Path file;
  private final MemorySegment bytes;
  private long position;
  private String place = "header";

  GgufCursor(Path file, MemorySegment bytes, long position) {
    this.file = file;
    this.bytes = bytes;
    this.position = position;
  }

  /** Sets what is being read from here on, for messages. */
  void enter(String newPlace) {
    place = newPlace;
  }

  long position() {
    return position;
  }

  long remaining() {
    return bytes.byteSize() - position;
  }

  /** Makes an error at the current offset. */
  ClusterException corrupt(String problem) {
    return CheckpointErrors.corrupt(file, "%s, at byte %d: %s".formatted(place, position, problem));
  }

  int u8() {
    return Byte.toUnsignedInt(bytes.get(ValueLayout.JAVA_BYTE, advance(1)));
  }

  int u16() {
    return Short.toUnsignedInt(bytes.get(SHORT, advance(2)));
  }

  int i32() {
    return bytes.get(INT, advance(4));
  }

  long u32() {
    return Integer.toUnsignedLong(i32());
  }

  long i64() {
    return bytes.get(LONG, advance(8));
  }

  /** Reads a u64 as the number it is: a Long where it fits. */
  Object u64() {
    long value = i64();
    return value >= 0 ? (Object) value : new BigInteger(Long.toUnsignedString(value));
  }

  float f32() {
    return Float.intBitsToFloat(i32());
  }

  double f64() {
    return Double.longBitsToDouble(i64());
  }

  boolean bool() {
    int value = u8();
    if (value > 1) {
      throw corrupt("a boolean is %d, neither 0 nor 1".formatted(value));
    }
    return value == 1;
  }

  /**
   * Reads a u64 count of things and checks that the rest of the file can hold them, so that nothing
   * is allocated for a count that cannot be true.
   */
  long count(String things, long minBytesEach, long max) {
    long count = i64();
    long fit = remaining() / minBytesEach;
    if (count < 0 || count > fit || count > max) {
      throw corrupt(
          "%s %s: the remaining %d bytes hold at most %d, and at most %d are accepted"
              .formatted(Long.toUnsignedString(count), things, remaining(), fit, max));
    }
    return count;
  }

  /** Reads a string of at most that many bytes of UTF-8. */
  String string(int maxBytes) {
    long start = position;
    int length = (int) count("string bytes", 1, maxBytes);
    ByteBuffer utf8 = bytes.asSlice(advance(length), length).asByteBuffer();
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(utf8).toString();
    } catch (CharacterCodingException e) {
      throw CheckpointErrors.corrupt(
          file,
          "%s: the string of %d bytes at byte %d is not UTF-8 (%s)"
              .formatted(place, length, start, e.getMessage()),
          e);
    }
  }

  /** Steps over a string without reading it. */
  void skipString() {
    skip(count("string bytes", 1, Long.MAX_VALUE));
  }

  void skip(long count) {
    advance(count);
  }

  private long advance(long count) {
    if (count > remaining()) {
      throw corrupt("%d bytes are needed, %d remain".formatted(count, remaining()));
    }
    long start = position;
    position += count;
    return start;
  }
}
