package dev.caravan.model.checkpoint;

import dev.caravan.model.error.ClusterException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * An array in the metadata of a GGUF file, read only when asked for: a vocabulary of 128,256 tokens
 * costs a worker nothing. Immutable; must not be read after its checkpoint is closed.
 */
public final class GgufArray {
  private static final int MAX_ELEMENTS = 1 << 24;
  private static final int MAX_STRING_BYTES = 1 << 16;

  private final Path file;
  private final MemorySegment bytes;
  private final String key;
  private final GgufValueType elementType;
  private final long count;
  private final long offset;

  GgufArray(MappedFile mapped, String key, GgufValueType elementType, long count, long offset) {
    this.file = mapped.path();
    this.bytes = mapped.bytes();
    this.key = key;
    this.elementType = elementType;
    this.count = count;
    this.offset = offset;
  }

  public long count() {
    return count;
  }

  /**
   * Reads the elements as text.
   *
   * @throws ClusterException CHECKPOINT_CORRUPT if they are not strings, or not UTF-8
   */
  public List<String> strings() {
    if (elementType != GgufValueType.STRING) {
      throw wrongType("strings");
    }
    int size = checkedCount();
    GgufCursor cursor = cursor();
    List<String> strings = new ArrayList<>(size);
    for (int i = 0; i < size; i++) {
      strings.add(cursor.string(MAX_STRING_BYTES));
    }
    return strings;
  }

  /**
   * Reads the elements as numbers.
   *
   * @throws ClusterException CHECKPOINT_CORRUPT if they are not 32-bit floats
   */
  public float[] floats() {
    if (elementType != GgufValueType.FLOAT32) {
      throw wrongType("32-bit floats");
    }
    GgufCursor cursor = cursor();
    float[] floats = new float[checkedCount()];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = cursor.f32();
    }
    return floats;
  }

  /**
   * Reads the elements as numbers.
   *
   * @throws ClusterException CHECKPOINT_CORRUPT if they are not 32-bit integers
   */
  public int[] ints() {
    if (elementType != GgufValueType.INT32 && elementType != GgufValueType.UINT32) {
      throw wrongType("32-bit integers");
    }
    GgufCursor cursor = cursor();
    int[] ints = new int[checkedCount()];
    for (int i = 0; i < ints.length; i++) {
      ints[i] = cursor.i32();
    }
    return ints;
  }

  @Override
  public String toString() {
    return "%d x %s".formatted(count, elementType);
  }

  private GgufCursor cursor() {
    GgufCursor cursor = new GgufCursor(file, bytes, offset);
    cursor.enter("metadata " + key);
    return cursor;
  }

  private int checkedCount() {
    if (count > MAX_ELEMENTS) {
      throw CheckpointErrors.corrupt(
          file,
          "metadata %s has %d elements, at most %d are accepted"
              .formatted(key, count, MAX_ELEMENTS));
    }
    return (int) count;
  }

  private ClusterException wrongType(String wanted) {
    return CheckpointErrors.corrupt(
        file, "metadata %s is an array of %s, not of %s".formatted(key, elementType, wanted));
  }
}
