package dev.caravan.model.shard;

/** The half-open range [start, end); may be empty. */
public record IntRange(int start, int end) {

  public IntRange {
    if (start < 0 || end < start) {
      throw new IllegalArgumentException("range [%d, %d)".formatted(start, end));
    }
  }

  public int size() {
    return end - start;
  }

  public boolean isEmpty() {
    return start == end;
  }

  public boolean contains(int value) {
    return value >= start && value < end;
  }

  /** Returns both ends multiplied: a range of heads as a range of rows. */
  public IntRange times(int factor) {
    return new IntRange(Math.multiplyExact(start, factor), Math.multiplyExact(end, factor));
  }

  @Override
  public String toString() {
    return "[" + start + ", " + end + ")";
  }
}
