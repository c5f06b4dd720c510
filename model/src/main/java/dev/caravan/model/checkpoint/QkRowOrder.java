package dev.caravan.model.checkpoint;

/** Which rows of a query or key head the rotary embedding turns together. */
public enum QkRowOrder {
  /** Rows (2i, 2i + 1): GGUF and Meta's own checkpoints. */
  INTERLEAVED,
  /** Rows (i, i + headDim / 2): Hugging Face, and everything inside Caravan. */
  HALF_SPLIT;

  /**
   * Returns the row of the file that becomes row {@code row} of a half-split head.
   *
   * @param row in [0, headDim)
   */
  public int sourceRow(int row, int headDim) {
    int half = headDim / 2;
    return switch (this) {
      case HALF_SPLIT -> row;
      case INTERLEAVED -> row < half ? 2 * row : 2 * (row - half) + 1;
    };
  }
}
