package dev.caravan.model.checkpoint;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Parses the header of a GGUF file of version 2 or 3.
 *
 * <p>Layout after the GGUF specification of the ggml project: magic, version (u32), tensor count,
 * metadata count (u64), metadata, tensor table. Nothing is allocated for a count or a length before
 * it was compared with the bytes that remain. Confined to one thread.
 */
final class GgufHeaderParser {
  static final byte[] MAGIC = {'G', 'G', 'U', 'F'};
  static final int MAX_NAME_BYTES = 1024;

  private static final int MAX_KEY_BYTES = 65_535;
  private static final int MAX_METADATA = 1 << 16;
  private static final int MAX_TENSORS = 1 << 17;
  private static final int MAX_DIMENSIONS = 4;
  private static final int MAX_ARRAY_DEPTH = 4;

  /** A bound on all single strings together, chat templates among them. */
  private static final int MAX_METADATA_STRING_BYTES = 64 << 20;

  private static final int MIN_METADATA_BYTES = 8 + 4 + 1;
  private static final int MIN_TENSOR_INFO_BYTES = 8 + 4 + 8 + 4 + 8;

  private final MappedFile mapped;
  private final GgufCursor cursor;
  private int stringBytesLeft = MAX_METADATA_STRING_BYTES;

  GgufHeaderParser(MappedFile mapped) {
    this.mapped = mapped;
    this.cursor = new GgufCursor(mapped.path(), mapped.bytes(), 0);
  }

  /**
   * Parses from the first byte to the end of the tensor table.
   *
   * @throws dev.caravan.model.error.ClusterException CHECKPOINT_CORRUPT for a broken header,
   *     INVALID_REQUEST for another version or element type
   */
  GgufHeader parse() {
    checkMagic();
    int version = version();
    cursor.enter("tensor count");
    long tensorCount = cursor.count("tensors", MIN_TENSOR_INFO_BYTES, MAX_TENSORS);
    cursor.enter("metadata count");
    long metadataCount = cursor.count("metadata entries", MIN_METADATA_BYTES, MAX_METADATA);
    Map<String, Object> metadata = metadata(metadataCount);
    List<GgufTensorInfo> tensors = tensors(tensorCount);
    return new GgufHeader(version, metadata, tensors, cursor.position());
  }

  private void checkMagic() {
    cursor.enter("magic");
    for (byte expected : MAGIC) {
      int actual = cursor.u8();
      if (actual != expected) {
        throw cursor.corrupt("the file does not begin with GGUF");
      }
    }
  }

  private int version() {
    cursor.enter("version");
    int version = cursor.i32();
    if (version == 2 || version == 3) {
      return version;
    }
    if (Integer.reverseBytes(version) == 2 || Integer.reverseBytes(version) == 3) {
      throw CheckpointErrors.unsupported(
          mapped.path(),
          "big-endian GGUF is not supported; convert the model again as little endian");
    }
    throw CheckpointErrors.unsupported(
        mapped.path(),
        "GGUF version %s is not supported, only 2 and 3; convert the model again"
            .formatted(Integer.toUnsignedString(version)));
  }

  private Map<String, Object> metadata(long count) {
    Map<String, Object> metadata = new LinkedHashMap<>();
    for (long i = 0; i < count; i++) {
      cursor.enter("key of metadata entry %d of %d".formatted(i, count));
      String key = string(MAX_KEY_BYTES);
      cursor.enter("metadata " + key);
      if (metadata.put(key, value(key, GgufValueType.read(cursor))) != null) {
        throw cursor.corrupt("the key appears twice");
      }
    }
    return metadata;
  }

  private Object value(String key, GgufValueType type) {
    return switch (type) {
      case UINT8 -> (long) cursor.u8();
      case INT8 -> (long) (byte) cursor.u8();
      case UINT16 -> (long) cursor.u16();
      case INT16 -> (long) (short) cursor.u16();
      case UINT32 -> cursor.u32();
      case INT32 -> (long) cursor.i32();
      case UINT64 -> cursor.u64();
      case INT64 -> cursor.i64();
      case FLOAT32 -> (double) cursor.f32();
      case FLOAT64 -> cursor.f64();
      case BOOL -> cursor.bool();
      case STRING -> string(MAX_METADATA_STRING_BYTES);
      case ARRAY -> array(key);
    };
  }

  private String string(int maxBytes) {
    long start = cursor.position();
    String value = cursor.string(Math.min(maxBytes, stringBytesLeft));
    stringBytesLeft -= (int) (cursor.position() - start - Long.BYTES);
    return value;
  }

  private GgufArray array(String key) {
    GgufValueType elementType = GgufValueType.read(cursor);
    long count = cursor.count("array elements", elementType.minBytes(), Long.MAX_VALUE);
    long offset = cursor.position();
    skipElements(elementType, count, 1);
    return new GgufArray(mapped, key, elementType, count, offset);
  }

  private void skipElements(GgufValueType type, long count, int depth) {
    if (type.isFixedSize()) {
      cursor.skip(count * type.minBytes());
      return;
    }
    if (depth > MAX_ARRAY_DEPTH) {
      throw cursor.corrupt("arrays are nested deeper than %d".formatted(MAX_ARRAY_DEPTH));
    }
    for (long i = 0; i < count; i++) {
      if (type == GgufValueType.STRING) {
        cursor.skipString();
      } else {
        GgufValueType inner = GgufValueType.read(cursor);
        long innerCount = cursor.count("array elements", inner.minBytes(), Long.MAX_VALUE);
        skipElements(inner, innerCount, depth + 1);
      }
    }
  }

  private List<GgufTensorInfo> tensors(long count) {
    List<GgufTensorInfo> tensors = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (long i = 0; i < count; i++) {
      cursor.enter("name of tensor %d of %d".formatted(i, count));
      String name = cursor.string(MAX_NAME_BYTES);
      cursor.enter("tensor " + name);
      if (!names.add(name)) {
        throw cursor.corrupt("the tensor appears twice");
      }
      tensors.add(tensor(name));
    }
    return tensors;
  }

  private GgufTensorInfo tensor(String name) {
    long dimensions = cursor.u32();
    if (dimensions < 1 || dimensions > MAX_DIMENSIONS) {
      throw cursor.corrupt("%d dimensions, not 1..%d".formatted(dimensions, MAX_DIMENSIONS));
    }
    long columns = dimension();
    long rows = 1;
    for (int i = 1; i < dimensions; i++) {
      long size = dimension();
      if (Math.multiplyHigh(rows, size) != 0 || rows * size < 0) {
        throw cursor.corrupt("its dimensions multiply to over %d".formatted(Long.MAX_VALUE));
      }
      rows *= size;
    }
    DType dtype = GgmlType.dtype(mapped.path(), name, cursor.u32());
    if (columns % dtype.blockElements() != 0) {
      throw cursor.corrupt(
          "rows of %d elements are not whole %s blocks of %d"
              .formatted(columns, dtype, dtype.blockElements()));
    }
    long fileBytes = mapped.bytes().byteSize();
    // No type packs more than two elements into a byte; this also keeps dtype.bytes from
    // overflowing.
    if (columns / 2 > fileBytes || rows > fileBytes / dtype.bytes(columns)) {
      throw cursor.corrupt(
          "%s [%d, %d] cannot be in a file of %d bytes".formatted(dtype, rows, columns, fileBytes));
    }
    return new GgufTensorInfo(name, dtype, rows, columns, cursor.i64());
  }

  private long dimension() {
    long size = cursor.i64();
    if (size < 1) {
      throw cursor.corrupt(
          "a dimension of %s is not in 1..%d"
              .formatted(Long.toUnsignedString(size), Long.MAX_VALUE));
    }
    return size;
  }

  /** Returns true if the first bytes of a file are those of a GGUF file. */
  static boolean matches(byte[] start) {
    for (int i = 0; i < MAGIC.length; i++) {
      if (i >= start.length || start[i] != MAGIC[i]) {
        return false;
      }
    }
    return true;
  }
}
