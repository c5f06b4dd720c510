package dev.caravan.worker.kernel;

/**
 * Rows of one sequence at positions that follow one another; each sees all positions up to its own.
 *
 * @param fromRow first row of the batch
 * @param toRow one past the last
 * @param position of the first row
 * @param blocks block table of the sequence: position p lies in blocks[p / 16]
 * @param firstPart where the partial results of the rows begin; see {@link AttentionParts}
 */
public record AttentionRows(int fromRow, int toRow, int position, int[] blocks, int firstPart) {
  /** Positions of a range: what one task computes of a row with a long history. */
  public static final int RANGE = 1024;

  /** Positions whose weighted values are summed from zero; divides a range. */
  public static final int CHUNK = 32;

  /** Rows. */
  public int count() {
    return toRow - fromRow;
  }

  /** Positions that the last row sees. */
  public int positions() {
    return position + count();
  }

  /** Ranges that the last row sees; the last may be cut short. */
  public int ranges() {
    return Math.ceilDiv(positions(), RANGE);
  }

  /** Positions of a range that a row sees, in [0, {@link #RANGE}]. */
  public int positions(int row, int range) {
    return Math.clamp(position + (row - fromRow) + 1L - (long) range * RANGE, 0, RANGE);
  }

  /** First part of a range: one of each row, row after row. */
  public int part(int range) {
    return firstPart + range * count();
  }
}
