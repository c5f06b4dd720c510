package dev.caravan.worker.kernel;

import dev.caravan.worker.tensor.Activations;
import dev.caravan.worker.tensor.MatmulInput;
import dev.caravan.worker.tensor.WeightMatrix;

/** What arguments must fit together, checked at entry by every implementation. */
public final class Shapes {

  private Shapes() {}

  public static void checkPrepare(Activations x, MatmulInput out, int fromRow, int toRow) {
    if (x.columns() < out.columns()) {
      throw new IllegalArgumentException(
          "input of %d columns, %d needed".formatted(x.columns(), out.columns()));
    }
    checkRows(fromRow, toRow, Math.min(x.maxRows(), out.maxRows()));
  }

  public static void checkMatmul(
      WeightMatrix w, MatmulInput x, int rows, Activations y, int fromGroup, int toGroup) {
    if (x.columns() != w.columns() || y.columns() < w.rows()) {
      throw new IllegalArgumentException(
          "weight [%d, %d], input of %d columns, output of %d"
              .formatted(w.rows(), w.columns(), x.columns(), y.columns()));
    }
    if (fromGroup < 0 || fromGroup > toGroup || toGroup > w.rowGroups()) {
      throw new IllegalArgumentException(
          "groups [%d, %d) of %d".formatted(fromGroup, toGroup, w.rowGroups()));
    }
    checkRows(0, rows, Math.min(x.maxRows(), y.maxRows()));
  }

  public static void checkRows(int fromRow, int toRow, int maxRows) {
    if (fromRow < 0 || fromRow > toRow || toRow > maxRows) {
      throw new IllegalArgumentException("rows [%d, %d) of %d".formatted(fromRow, toRow, maxRows));
    }
  }

  public static void checkSameColumns(Activations x, Activations other) {
    if (x.columns() != other.columns()) {
      throw new IllegalArgumentException(
          "%d columns and %d columns".formatted(x.columns(), other.columns()));
    }
  }

  /** Checks the heads and positions of an attention call. */
  public static void checkAttention(
      Activations q, Activations out, int row, AttentionHead head, KernelLimits limits) {
    int headDim = head.cache().shape().headDim();
    if (head.fromHead() < 0
        || head.fromHead() > head.toHead()
        || head.toHead() - head.fromHead() > limits.groupHeads()
        || headDim > limits.headDim()
        || head.toHead() * headDim > q.columns()) {
      throw new IllegalArgumentException(
          "heads [%d, %d) of %d numbers in a query of %d columns, %s"
              .formatted(head.fromHead(), head.toHead(), headDim, q.columns(), limits));
    }
    checkSameColumns(q, out);
    checkRows(row, row + 1, Math.min(q.maxRows(), out.maxRows()));
    if (head.positions() < 1
        || head.positions() > limits.positions()
        || head.positions() > 16L * head.blocks().length) {
      throw new IllegalArgumentException(
          "%d positions in %d blocks, %s"
              .formatted(head.positions(), head.blocks().length, limits));
    }
  }
}
