package dev.caravan.model.shard;

import dev.caravan.model.checkpoint.WeightName;

/**
 * How a weight is cut over the tensor-parallel ranks of a stage.
 *
 * <p>Column and row parallelism as in Megatron-LM (Shoeybi et al., 2019, arXiv:1909.08053, section
 * 3), named after the matrix that multiplies from the right: stored as [outputs, inputs], a
 * column-parallel weight is cut on its rows and a row-parallel one on its columns.
 */
public enum Partition {
  /** Every rank holds all of it. */
  REPLICATED,
  /** Cut on its outputs (stored rows): each rank computes its own outputs from the same input. */
  COLUMN_PARALLEL,
  /** Cut on its inputs (stored columns): the ranks' outputs are partial sums. */
  ROW_PARALLEL,
  /** Cut on the vocabulary (stored rows): each rank computes the logits of its own tokens. */
  VOCAB_PARALLEL;

  /** Returns how a weight of that kind is cut. */
  public static Partition of(WeightName.Kind kind) {
    return switch (kind) {
      case TOKEN_EMBEDDING, ATTENTION_NORM, FFN_NORM, FINAL_NORM -> REPLICATED;
      case QUERY, KEY, VALUE, FFN_GATE, FFN_UP -> COLUMN_PARALLEL;
      case ATTENTION_OUTPUT, FFN_DOWN -> ROW_PARALLEL;
      case OUTPUT -> VOCAB_PARALLEL;
    };
  }
}
