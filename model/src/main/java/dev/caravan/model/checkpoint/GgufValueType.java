package dev.caravan.model.checkpoint;

/** The types of GGUF metadata values; the ordinal is the number in the file. */
enum GgufValueType {
  UINT8(1),
  INT8(1),
  UINT16(2),
  INT16(2),
  UINT32(4),
  INT32(4),
  FLOAT32(4),
  BOOL(1),
  /** A byte count (u64), then UTF-8. */
  STRING(8),
  /** An element type (u32), a count (u64), then the elements. */
  ARRAY(12),
  UINT64(8),
  INT64(8),
  FLOAT64(8);

  private static final GgufValueType[] BY_NUMBER = values();

  private final int minBytes;

  GgufValueType(int minBytes) {
    this.minBytes = minBytes;
  }

  /** Bytes of a value; of a STRING or ARRAY, the fewest it can take. */
  int minBytes() {
    return minBytes;
  }

  boolean isFixedSize() {
    return this != STRING && this != ARRAY;
  }

  /** Reads a type number and checks it. */
  static GgufValueType read(GgufCursor cursor) {
    long number = cursor.u32();
    if (number >= BY_NUMBER.length) {
      throw cursor.corrupt(
          "value type %d is not one of 0..%d".formatted(number, BY_NUMBER.length - 1));
    }
    return BY_NUMBER[(int) number];
  }
}
