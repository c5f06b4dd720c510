package dev.caravan.coordinator.structure.grammar;

import java.util.BitSet;

/** A set of byte values, 0 to 255. Immutable. */
public final class ByteSet {
  private static final int VALUES = 256;

  private final BitSet values;

  private ByteSet(BitSet values) {
    this.values = values;
  }

  /** Returns the bytes from first to last, both included. */
  public static ByteSet range(int first, int last) {
    if (first < 0 || first > last || last >= VALUES) {
      throw new IllegalArgumentException("no range of bytes: %d to %d".formatted(first, last));
    }
    BitSet values = new BitSet(VALUES);
    values.set(first, last + 1);
    return new ByteSet(values);
  }

  /** Returns the bytes of an ASCII text. */
  public static ByteSet of(String ascii) {
    BitSet values = new BitSet(VALUES);
    ascii.chars().forEach(values::set);
    return new ByteSet(values);
  }

  /** Returns the bytes of either set. */
  public ByteSet or(ByteSet other) {
    BitSet union = (BitSet) values.clone();
    union.or(other.values);
    return new ByteSet(union);
  }

  boolean contains(int value) {
    return values.get(value);
  }

  boolean intersects(BitSet others) {
    return values.intersects(others);
  }
}
