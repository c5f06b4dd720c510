package dev.caravan.worker.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * What ranges of positions contribute to rows, off heap, until they are put together.
 *
 * <p>Shape: [kvHeads][parts][groupHeads] records; a part is what one row gets from one range, its
 * records are packed to the query heads that there are. A record is a 64-byte line that holds the
 * largest score and the sum of the weights, then headDim weighted values, padded to 16 floats.
 * Threads write disjoint parts.
 */
public final class AttentionParts {
  private static final int LINE = 64;
  private static final long SUM = 4;

  private final MemorySegment data;
  private final int kvHeads;
  private final int parts;
  private final int groupHeads;
  private final long recordBytes;

  /**
   * @param groupHeads most query heads that share a key-value head
   */
  public AttentionParts(Arena arena, int kvHeads, int parts, int groupHeads, int headDim) {
    this.kvHeads = kvHeads;
    this.parts = parts;
    this.groupHeads = groupHeads;
    this.recordBytes = LINE + Math.ceilDiv(4L * headDim, LINE) * LINE;
    this.data = arena.allocate(recordBytes * kvHeads * parts * groupHeads, LINE);
  }

  public MemorySegment data() {
    return data;
  }

  public int kvHeads() {
    return kvHeads;
  }

  /** Parts of each key-value head. */
  public int parts() {
    return parts;
  }

  public int groupHeads() {
    return groupHeads;
  }

  /** Bytes from one record to the next. */
  public long recordBytes() {
    return recordBytes;
  }

  /** Byte offset of the first record of a part. */
  public long offset(int kvHead, int part) {
    return ((long) kvHead * parts + part) * groupHeads * recordBytes;
  }

  /** Byte offset of a record's weighted values. */
  public static long values(long record) {
    return record + LINE;
  }

  public float max(long record) {
    return data.get(ValueLayout.JAVA_FLOAT, record);
  }

  public float sum(long record) {
    return data.get(ValueLayout.JAVA_FLOAT, record + SUM);
  }

  public void set(long record, float max, float sum) {
    data.set(ValueLayout.JAVA_FLOAT, record, max);
    data.set(ValueLayout.JAVA_FLOAT, record + SUM, sum);
  }
}
