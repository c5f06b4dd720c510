package dev.caravan.model.checkpoint;

/** How the elements of a tensor are stored: blocks of elements, each block of so many bytes. */
public enum DType {
  F32(1, 4),
  F16(1, 2),
  BF16(1, 2),
  /** 32 int8 with one f16 scale. */
  Q8_0(32, 34),
  /** 32 unsigned nibbles, offset 8, with one f16 scale. */
  Q4_0(32, 18),
  /** 256 nibbles in 8 sub-blocks with 6-bit scales and minima under two f16 scales. */
  Q4_K(256, 144),
  /** 256 5-bit values in 8 sub-blocks with 6-bit scales and minima under two f16 scales. */
  Q5_K(256, 176),
  /** 256 6-bit values in 16 sub-blocks with int8 scales under one f16 scale. */
  Q6_K(256, 210);

  private final int blockElements;
  private final int blockBytes;

  DType(int blockElements, int blockBytes) {
    this.blockElements = blockElements;
    this.blockBytes = blockBytes;
  }

  public int blockElements() {
    return blockElements;
  }

  public int blockBytes() {
    return blockBytes;
  }

  public boolean isQuantised() {
    return blockElements > 1;
  }

  /**
   * Returns the bytes of that many consecutive elements of a row.
   *
   * @throws IllegalArgumentException if they are not whole blocks
   */
  public long bytes(long elements) {
    if (elements % blockElements != 0) {
      throw new IllegalArgumentException(
          "%d elements are not whole %s blocks of %d".formatted(elements, this, blockElements));
    }
    return elements / blockElements * blockBytes;
  }
}
