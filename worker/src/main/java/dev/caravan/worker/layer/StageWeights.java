package dev.caravan.worker.layer;

import dev.caravan.model.checkpoint.TensorEntry;
import dev.caravan.worker.tensor.WeightMatrix;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/**
 * The packed weights of one shard.
 *
 * @param embedding token embedding in the checkpoint, on the first stage
 * @param blocks one for each layer of the stage
 * @param head output head, on the last stage
 */
public record StageWeights(
    Optional<TensorEntry> embedding, List<Block> blocks, Optional<Head> head) {

  /**
   * One block's weights, the rank's part of each; norms are whole, [hiddenSize] f32.
   *
   * @param query [local heads * headDim, hiddenSize]
   * @param key [local KV heads * headDim, hiddenSize]
   * @param value as key
   * @param attentionOutput [hiddenSize, local heads * headDim]
   * @param gate [local FFN columns, hiddenSize]
   * @param up as gate
   * @param down [hiddenSize, local FFN columns]
   */
  public record Block(
      MemorySegment attentionNorm,
      WeightMatrix query,
      WeightMatrix key,
      WeightMatrix value,
      WeightMatrix attentionOutput,
      MemorySegment ffnNorm,
      WeightMatrix gate,
      WeightMatrix up,
      WeightMatrix down) {}

  /**
   * The output head; empty of rows where there are more ranks than vocabulary rows.
   *
   * @param norm [hiddenSize] f32
   * @param output [local vocabulary rows, hiddenSize]
   */
  public record Head(MemorySegment norm, Optional<WeightMatrix> output) {}
}
