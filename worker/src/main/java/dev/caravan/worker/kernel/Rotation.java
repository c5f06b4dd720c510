package dev.caravan.worker.kernel;

import dev.caravan.worker.tensor.Activations;

/**
 * The angles of the rotary embedding, a row for each row that is turned.
 *
 * @param cos [rows, headDim / 2]
 * @param sin [rows, headDim / 2]
 * @param headDim numbers of a head, even
 */
public record Rotation(Activations cos, Activations sin, int headDim) {

  public Rotation {
    if (headDim % 2 != 0 || cos.columns() < headDim / 2 || sin.columns() < headDim / 2) {
      throw new IllegalArgumentException(
          "head of %d, cos of %d columns, sin of %d"
              .formatted(headDim, cos.columns(), sin.columns()));
    }
  }

  /** Returns the angles of the rows [fromRow, toRow), in the same memory. */
  public Rotation rows(int fromRow, int toRow) {
    return new Rotation(cos.rows(fromRow, toRow), sin.rows(fromRow, toRow), headDim);
  }
}
