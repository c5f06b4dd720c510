package dev.caravan.model.checkpoint;

import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Writes a GGUF v3 file tensor by tensor, so that a model larger than memory can be written.
 *
 * <p>First all {@link #metadata} and {@link #tensor} calls, then {@link #write}. Confined to one
 * thread.
 */
public final class GgufWriter {
  private static final int DEFAULT_ALIGNMENT_BYTES = 32;
  private static final String ALIGNMENT_KEY = "general.alignment";

  /** Supplies the bytes of one tensor. */
  @FunctionalInterface
  public interface DataSource {
    /** Writes exactly the tensor's bytes, row-major, little endian. */
    void writeTo(OutputStream out) throws IOException;
  }

  private record PlannedTensor(
      String name, DType dtype, long rows, long columns, DataSource source) {
    long bytes() {
      return Math.multiplyExact(rows, dtype.bytes(columns));
    }
  }

  private final Map<String, Object> metadata = new LinkedHashMap<>();
  private final List<PlannedTensor> tensors = new ArrayList<>();
  private final Set<String> tensorNames = new HashSet<>();

  /**
   * Adds a metadata entry.
   *
   * @param value Integer or Long (stored unsigned where not negative), Float, Double, Boolean,
   *     String, or a List of Integers, Floats or Strings; Integers in a list are stored signed
   * @throws IllegalArgumentException for another type or a key that is there already
   */
  public GgufWriter metadata(String key, Object value) {
    if (metadata.containsKey(key)) {
      throw new IllegalArgumentException("metadata " + key + " is set twice");
    }
    encodeValue(new HeaderBytes(), key, value);
    if (key.equals(ALIGNMENT_KEY)
        && !(value instanceof Integer bytes && bytes >= 8 && Integer.bitCount(bytes) == 1)) {
      throw new IllegalArgumentException(
          "alignment %s is not a power of two >= 8".formatted(value));
    }
    metadata.put(key, value);
    return this;
  }

  /**
   * Adds a tensor; one row makes it a vector.
   *
   * @throws IllegalArgumentException if the rows are not whole blocks or the name is there already
   */
  public GgufWriter tensor(String name, DType dtype, long rows, long columns, DataSource source) {
    if (rows < 1 || columns < 1 || columns % dtype.blockElements() != 0) {
      throw new IllegalArgumentException(
          "tensor %s: %s [%d, %d] is empty or has rows that are not whole blocks of %d"
              .formatted(name, dtype, rows, columns, dtype.blockElements()));
    }
    if (!tensorNames.add(name)) {
      throw new IllegalArgumentException("tensor " + name + " is added twice");
    }
    tensors.add(new PlannedTensor(name, dtype, rows, columns, source));
    return this;
  }

  /**
   * Writes the file, replacing one that is there only when it is complete.
   *
   * @throws IllegalStateException if a source wrote another number of bytes than its tensor has
   */
  public void write(Path file) throws IOException {
    Path partial = file.resolveSibling(file.getFileName() + ".partial");
    // An interrupt from the keyboard ends the JVM without the finally below.
    partial.toFile().deleteOnExit();
    boolean complete = false;
    try {
      try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(partial), 1 << 16)) {
        writeAll(out);
      }
      Files.move(partial, file, StandardCopyOption.REPLACE_EXISTING);
      complete = true;
    } finally {
      if (!complete) {
        Files.deleteIfExists(partial);
      }
    }
  }

  private void writeAll(OutputStream out) throws IOException {
    int alignment = (Integer) metadata.getOrDefault(ALIGNMENT_KEY, DEFAULT_ALIGNMENT_BYTES);
    byte[] header = header(alignment);
    out.write(header);
    pad(out, header.length, alignment);
    for (PlannedTensor tensor : tensors) {
      CountingStream counting = new CountingStream(out, tensor.bytes());
      tensor.source().writeTo(counting);
      if (counting.written != tensor.bytes()) {
        throw new IllegalStateException(
            "tensor %s: %d bytes written, %d expected"
                .formatted(tensor.name(), counting.written, tensor.bytes()));
      }
      pad(out, tensor.bytes(), alignment);
    }
  }

  private byte[] header(int alignment) {
    HeaderBytes header = new HeaderBytes();
    header.bytes.writeBytes(GgufHeaderParser.MAGIC);
    header.u32(3).u64(tensors.size()).u64(metadata.size());
    metadata.forEach((key, value) -> {
      header.string(key);
      encodeValue(header, key, value);
    });
    long offset = 0;
    for (PlannedTensor tensor : tensors) {
      header.string(tensor.name());
      if (tensor.rows() == 1) {
        header.u32(1).u64(tensor.columns());
      } else {
        header.u32(2).u64(tensor.columns()).u64(tensor.rows());
      }
      header.u32(GgmlType.number(tensor.dtype())).u64(offset);
      offset = Math.addExact(offset, Math.ceilDiv(tensor.bytes(), alignment) * alignment);
    }
    return header.bytes.toByteArray();
  }

  private static void encodeValue(HeaderBytes header, String key, Object value) {
    if (value instanceof List<?> list) {
      header.type(GgufValueType.ARRAY);
      header.type(list.isEmpty() ? GgufValueType.STRING : elementType(key, list.getFirst()));
      header.u64(list.size());
      Class<?> first = list.isEmpty() ? String.class : list.getFirst().getClass();
      list.forEach(element -> header.scalar(first.cast(element)));
      return;
    }
    header.type(
        switch (value) {
          case Integer i when i >= 0 -> GgufValueType.UINT32;
          case Integer i -> GgufValueType.INT32;
          case Long l when l >= 0 -> GgufValueType.UINT64;
          case Long l -> GgufValueType.INT64;
          case Double d -> GgufValueType.FLOAT64;
          case Boolean b -> GgufValueType.BOOL;
          default -> elementType(key, value);
        });
    header.scalar(value);
  }

  private static GgufValueType elementType(String key, Object value) {
    return switch (value) {
      case Integer i -> GgufValueType.INT32;
      case Float f -> GgufValueType.FLOAT32;
      case String s -> GgufValueType.STRING;
      default ->
          throw new IllegalArgumentException(
              "metadata %s: %s cannot be written".formatted(key, value.getClass()));
    };
  }

  private static void pad(OutputStream out, long written, int alignment) throws IOException {
    out.write(new byte[Math.floorMod(-written, alignment)]);
  }

  /** The header while it grows: a vocabulary makes it some MiB, never more. */
  private static final class HeaderBytes {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    HeaderBytes u32(int value) {
      bytes.writeBytes(little(Integer.BYTES).putInt(value).array());
      return this;
    }

    HeaderBytes u64(long value) {
      bytes.writeBytes(little(Long.BYTES).putLong(value).array());
      return this;
    }

    void type(GgufValueType type) {
      u32(type.ordinal());
    }

    void string(String text) {
      byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
      u64(utf8.length);
      bytes.writeBytes(utf8);
    }

    void scalar(Object value) {
      switch (value) {
        case Integer i -> u32(i);
        case Long l -> u64(l);
        case Float f -> u32(Float.floatToRawIntBits(f));
        case Double d -> u64(Double.doubleToRawLongBits(d));
        case Boolean b -> bytes.write(b ? 1 : 0);
        case String s -> string(s);
        default -> throw new IllegalStateException("not checked: " + value.getClass());
      }
    }

    private static ByteBuffer little(int size) {
      return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }
  }

  /** Stops a source that writes too much before it runs over the next tensor. */
  private static final class CountingStream extends OutputStream {
    private final OutputStream out;
    private final long limit;
    private long written;

    CountingStream(OutputStream out, long limit) {
      this.out = out;
      this.limit = limit;
    }

    @Override
    public void write(int b) throws IOException {
      count(1);
      out.write(b);
    }

    @Override
    public void write(byte[] source, int offset, int length) throws IOException {
      count(length);
      out.write(source, offset, length);
    }

    private void count(int length) {
      written += length;
      if (written > limit) {
        throw new IllegalStateException(
            "a tensor of %d bytes is written with at least %d".formatted(limit, written));
      }
    }
  }
}
