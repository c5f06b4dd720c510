package dev.caravan.coordinator.cli;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Damages a good GGUF file in one place. */
final class DamagedGguf {
  private final byte[] bytes;

  DamagedGguf(Path good) throws IOException {
    this.bytes = Files.readAllBytes(good);
  }

  DamagedGguf magic(String magic) {
    System.arraycopy(magic.getBytes(StandardCharsets.US_ASCII), 0, bytes, 0, 4);
    return this;
  }

  /** Overwrites the first text after an anchor by one of the same length. */
  DamagedGguf replace(String anchor, String text, String replacement) {
    int at = find(text, find(anchor, 0) + (anchor.equals(text) ? 0 : anchor.length()));
    byte[] bad = replacement.getBytes(StandardCharsets.US_ASCII);
    if (bad.length != text.length()) {
      throw new IllegalArgumentException(text + " and " + replacement + " differ in length");
    }
    System.arraycopy(bad, 0, bytes, at, bad.length);
    return this;
  }

  DamagedGguf tensorType(String tensor, int type) {
    little().putInt(afterDimensions(tensor), type);
    return this;
  }

  DamagedGguf tensorOffset(String tensor, long offset) {
    little().putLong(afterDimensions(tensor) + Integer.BYTES, offset);
    return this;
  }

  DamagedGguf firstDimension(String tensor, long columns) {
    little().putLong(find(tensor, 0) + tensor.length() + Integer.BYTES, columns);
    return this;
  }

  DamagedGguf tensorCount(long count) {
    little().putLong(8, count);
    return this;
  }

  Path write(Path file) throws IOException {
    return Files.write(file, bytes);
  }

  /** Writes the first part only. */
  Path writeTruncated(Path file, int size) throws IOException {
    return Files.write(file, java.util.Arrays.copyOf(bytes, size));
  }

  int size() {
    return bytes.length;
  }

  private int afterDimensions(String tensor) {
    int dimensions = find(tensor, 0) + tensor.length();
    return dimensions + Integer.BYTES + little().getInt(dimensions) * Long.BYTES;
  }

  private ByteBuffer little() {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private int find(String text, int from) {
    int at = new String(bytes, StandardCharsets.ISO_8859_1).indexOf(text, from);
    if (at < 0) {
      throw new IllegalArgumentException(text + " is not in the file");
    }
    return at;
  }
}
