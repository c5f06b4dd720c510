package dev.caravan.model.vocabulary;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * Walks the fields of one protobuf message without knowing its schema. Confined to one reader.
 *
 * <p>Wire format as in the Protocol Buffers encoding specification; groups are refused. After each
 * {@link #next()} exactly one of the value methods or {@link #skip()} has to be called.
 */
final class ProtobufFields {
  private static final int VARINT = 0;
  private static final int FIXED64 = 1;
  private static final int BYTES = 2;
  private static final int FIXED32 = 5;

  private final ByteBuffer data;

  /** Bytes of the file before {@link #data}, so that an error names an offset in the file. */
  private final int origin;

  private final FilePlace place;
  private int field;
  private int wireType;

  ProtobufFields(byte[] message, FilePlace place) {
    this(ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN), 0, place);
  }

  private ProtobufFields(ByteBuffer data, int origin, FilePlace place) {
    this.data = data;
    this.origin = origin;
    this.place = place;
  }

  /** Moves to the next field; returns false at the end of the message. */
  boolean next() {
    if (!data.hasRemaining()) {
      return false;
    }
    long tag = readVarint();
    long number = tag >>> 3;
    if (number < 1 || number >= 1 << 29) {
      throw place.corrupt("field number %d before byte %d".formatted(number, offset()));
    }
    field = (int) number;
    wireType = (int) (tag & 7);
    return true;
  }

  int field() {
    return field;
  }

  long varint() {
    require(VARINT);
    return readVarint();
  }

  boolean flag() {
    return varint() != 0;
  }

  float float32() {
    require(FIXED32);
    return slice(Float.BYTES).getFloat();
  }

  ProtobufFields message() {
    require(BYTES);
    int length = readLength();
    int start = offset();
    return new ProtobufFields(slice(length), start, place);
  }

  String string() {
    require(BYTES);
    ByteBuffer bytes = slice(readLength());
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
    } catch (CharacterCodingException e) {
      throw place.corrupt("field %d before byte %d is not UTF-8".formatted(field, offset()), e);
    }
  }

  void skip() {
    switch (wireType) {
      case VARINT -> readVarint();
      case FIXED64 -> slice(Long.BYTES);
      case BYTES -> slice(readLength());
      case FIXED32 -> slice(Integer.BYTES);
      default ->
          throw place.corrupt(
              "field %d before byte %d has wire type %d".formatted(field, offset(), wireType));
    }
  }

  private void require(int expected) {
    if (wireType != expected) {
      throw place.corrupt(
          "field %d before byte %d has wire type %d, %d expected"
              .formatted(field, offset(), wireType, expected));
    }
  }

  private long readVarint() {
    long value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      byte next = slice(1).get();
      value |= (long) (next & 0x7F) << shift;
      if (next >= 0) {
        return value;
      }
    }
    throw place.corrupt("a varint before byte %d has over 10 bytes".formatted(offset()));
  }

  private int readLength() {
    long length = readVarint();
    if (length < 0 || length > data.remaining()) {
      throw place.corrupt(
          "field %d at byte %d claims %s bytes, %d are left"
              .formatted(field, offset(), Long.toUnsignedString(length), data.remaining()));
    }
    return (int) length;
  }

  private ByteBuffer slice(int length) {
    if (length > data.remaining()) {
      throw place.corrupt(
          "it ends at byte %d inside a value of %d bytes".formatted(origin + data.limit(), length));
    }
    ByteBuffer slice = data.slice(data.position(), length).order(ByteOrder.LITTLE_ENDIAN);
    data.position(data.position() + length);
    return slice;
  }

  private int offset() {
    return origin + data.position();
  }
}
