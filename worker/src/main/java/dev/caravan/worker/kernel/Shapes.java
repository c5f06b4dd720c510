package dev.caravan.worker.kernel;

import dev.caravan.worker.tensor.Activations;
import dev.caravan.worker.tensor.InputForms;
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

  /** Checks that an input was prepared for a weight. */
  public static void checkForms(MatmulInput x, InputForms needed) {
    if (!x.forms().cover(needed)) {
      throw new IllegalArgumentException(
          "input prepared as %s, %s needed".formatted(x.forms(), needed));
    }
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

  /** Checks the heads, rows and positions of an attention call; x is its queries or results. */
  public static void checkAttention(
      Activations x, AttentionHead head, AttentionRows rows, KernelLimits limits) {
    int headDim = head.cache().shape().headDim();
    if (head.fromHead() < 0
        || head.fromHead() > head.toHead()
        || head.heads() > limits.groupHeads()
        || headDim > limits.headDim()
        || head.toHead() * headDim > x.columns()) {
      throw new IllegalArgumentException(
          "heads [%d, %d) of %d numbers in rows of %d columns, %s"
              .formatted(head.fromHead(), head.toHead(), headDim, x.columns(), limits));
    }
    checkRows(rows.fromRow(), rows.toRow(), x.maxRows());
    if (rows.count() < 1 || rows.count() > limits.attentionRows()) {
      throw new IllegalArgumentException("%d rows to attend, %s".formatted(rows.count(), limits));
    }
    if (rows.position() < 0
        || rows.positions() > limits.positions()
        || rows.positions() > 16L * rows.blocks().length) {
      throw new IllegalArgumentException(
          "positions [%d, %d) in %d blocks, %s"
              .formatted(rows.position(), rows.positions(), rows.blocks().length, limits));
    }
  }

  /** Checks that all ranges of the rows have their place. */
  public static void checkParts(AttentionParts parts, AttentionHead head, AttentionRows rows) {
    if (rows.firstPart() < 0
        || rows.part(rows.ranges()) > parts.parts()
        || head.kvHead() >= parts.kvHeads()
        || head.heads() > parts.groupHeads()) {
      throw new IllegalArgumentException(
          "parts [%d, %d) of %d, key-value head %d of %d, %d query heads of %d"
              .formatted(
                  rows.firstPart(),
                  rows.part(rows.ranges()),
                  parts.parts(),
                  head.kvHead(),
                  parts.kvHeads(),
                  head.heads(),
                  parts.groupHeads()));
    }
  }
}
