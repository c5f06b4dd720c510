package dev.caravan.worker.layer;

import dev.caravan.model.checkpoint.TensorEntry;
import dev.caravan.worker.kernel.Kernels;
import dev.caravan.worker.tensor.Activations;

/**
 * Looks up the rows of the first stage, straight in the mapped checkpoint: every rank reads a few
 * rows a step, and none holds the table.
 */
final class TokenEmbedding {
  private final TensorEntry table;
  private final Kernels kernels;

  TokenEmbedding(TensorEntry table, Kernels kernels) {
    this.table = table;
    this.kernels = kernels;
  }

  /** Overwrites x [rows, hiddenSize] with the tokens' embeddings. */
  void forward(StepRows rows, Activations x) {
    int columns = Math.toIntExact(table.columns());
    for (int row = 0; row < rows.rows(); row++) {
      kernels.dequantiseRow(
          table.dtype(),
          table.data().asSlice(rows.token(row) * table.rowBytes(), table.rowBytes()),
          columns,
          x,
          row);
    }
  }
}
