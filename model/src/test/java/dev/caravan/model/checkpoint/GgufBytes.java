package dev.caravan.model.checkpoint;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Builds GGUF files byte by byte, the broken ones that {@link GgufWriter} refuses included. */
final class GgufBytes {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  /** Starts a file of version 3. */
  static GgufBytes header(long tensors, long metadata) {
    return new GgufBytes().raw("GGUF").u32(3).u64(tensors).u64(metadata);
  }

  GgufBytes raw(String ascii) {
    return raw(ascii.getBytes(StandardCharsets.ISO_8859_1));
  }

  GgufBytes raw(byte[] raw) {
    bytes.writeBytes(raw);
    return this;
  }

  GgufBytes u8(int value) {
    bytes.write(value);
    return this;
  }

  GgufBytes u16(int value) {
    return u8(value & 0xFF).u8(value >> 8 & 0xFF);
  }

  GgufBytes u32(int value) {
    return raw(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
  }

  GgufBytes u64(long value) {
    return raw(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
  }

  GgufBytes string(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    return u64(utf8.length).raw(utf8);
  }

  /** Begins a metadata entry; its value follows. */
  GgufBytes key(String key, GgufValueType type) {
    return string(key).u32(type.ordinal());
  }

  /** Adds a line of the tensor table; dimensions as the file has them, columns first. */
  GgufBytes tensor(String name, int type, long offset, long... dimensions) {
    string(name).u32(dimensions.length);
    for (long dimension : dimensions) {
      u64(dimension);
    }
    return u32(type).u64(offset);
  }

  /** Fills up to a multiple of 32 and adds that many zero bytes. */
  GgufBytes data(int size) {
    raw(new byte[Math.floorMod(-bytes.size(), 32)]);
    return raw(new byte[size]);
  }

  byte[] toBytes() {
    return bytes.toByteArray();
  }

  Path write(Path file) throws IOException {
    return Files.write(file, toBytes());
  }
}
