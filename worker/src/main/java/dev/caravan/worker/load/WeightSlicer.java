package dev.caravan.worker.load;

import dev.caravan.model.checkpoint.Checkpoint;
import dev.caravan.model.checkpoint.QkRowOrder;
import dev.caravan.model.checkpoint.TensorEntry;
import dev.caravan.model.checkpoint.WeightName;
import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.shard.IntRange;
import dev.caravan.model.shard.Shard;
import dev.caravan.worker.tensor.WeightSlice;
import java.util.function.IntUnaryOperator;

/**
 * Cuts the rank's part out of each weight, still in the file: rows of a column-parallel weight,
 * columns of a row-parallel one. The one place that knows the order of query and key rows.
 */
final class WeightSlicer {
  private final Checkpoint checkpoint;
  private final LlamaConfig config;
  private final Shard shard;

  WeightSlicer(Checkpoint checkpoint, Shard shard) {
    this.checkpoint = checkpoint;
    this.config = checkpoint.config();
    this.shard = shard;
  }

  /**
   * Returns the rank's part of a matrix.
   *
   * @throws dev.caravan.model.error.ClusterException CHECKPOINT_CORRUPT if it is missing
   * @throws IllegalArgumentException for weights that are no matrix or not cut
   */
  WeightSlice slice(WeightName name) {
    TensorEntry tensor = checkpoint.weight(name);
    return switch (name.kind()) {
      case QUERY -> rows(tensor, shard.heads().times(config.headDim()), headRows(shard.heads()));
      case KEY -> rows(tensor, shard.kvHeads().times(config.headDim()), headRows(shard.kvHeads()));
      case VALUE -> rows(tensor, shard.kvHeads().times(config.headDim()));
      case ATTENTION_OUTPUT -> columns(tensor, shard.heads().times(config.headDim()));
      case FFN_GATE, FFN_UP -> rows(tensor, shard.ffnColumns());
      case FFN_DOWN -> columns(tensor, shard.ffnColumns());
      case OUTPUT -> rows(tensor, shard.vocabRows());
      case TOKEN_EMBEDDING, ATTENTION_NORM, FFN_NORM, FINAL_NORM ->
          throw new IllegalArgumentException(name + " is replicated, not cut");
    };
  }

  private IntUnaryOperator headRows(IntRange heads) {
    int headDim = config.headDim();
    QkRowOrder order = checkpoint.qkRowOrder();
    return row ->
        (heads.start() + row / headDim) * headDim + order.sourceRow(row % headDim, headDim);
  }

  private static WeightSlice rows(TensorEntry tensor, IntRange rows) {
    return rows(tensor, rows, row -> rows.start() + row);
  }

  private static WeightSlice rows(TensorEntry tensor, IntRange rows, IntUnaryOperator sourceRow) {
    return new WeightSlice(
        tensor.name(),
        tensor.dtype(),
        rows.size(),
        Math.toIntExact(tensor.columns()),
        tensor.data(),
        tensor.rowBytes(),
        0,
        sourceRow);
  }

  private static WeightSlice columns(TensorEntry tensor, IntRange columns) {
    return new WeightSlice(
        tensor.name(),
        tensor.dtype(),
        Math.toIntExact(tensor.rows()),
        columns.size(),
        tensor.data(),
        tensor.rowBytes(),
        tensor.dtype().bytes(columns.start()),
        row -> row);
  }
}
