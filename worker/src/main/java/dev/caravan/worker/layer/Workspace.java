package dev.caravan.worker.layer;

import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.shard.Shard;
import dev.caravan.worker.tensor.Activations;
import dev.caravan.worker.tensor.MatmulInput;
import java.lang.foreign.Arena;

/**
 * The activations of a stage, shared by all its layers; allocated once. Confined to the step.
 *
 * @param residual [rows, hiddenSize]
 * @param normalised [rows, hiddenSize]
 * @param partial [rows, hiddenSize], what row-parallel layers sum
 * @param query [rows, local heads * headDim]
 * @param key [rows, local KV heads * headDim]
 * @param value as key
 * @param attention as query
 * @param gate [rows, local FFN columns]
 * @param up as gate
 * @param hiddenInput prepared rows of hiddenSize
 * @param attentionInput prepared rows of the local heads
 * @param ffnInput prepared rows of the local FFN columns
 */
record Workspace(
    Activations residual,
    Activations normalised,
    Activations partial,
    Activations query,
    Activations key,
    Activations value,
    Activations attention,
    Activations gate,
    Activations up,
    MatmulInput hiddenInput,
    MatmulInput attentionInput,
    MatmulInput ffnInput) {

  static Workspace allocate(Arena arena, LlamaConfig config, Shard shard, int maxRows) {
    int hidden = config.hiddenSize();
    int heads = shard.heads().size() * config.headDim();
    int kvHeads = shard.kvHeads().size() * config.headDim();
    int ffn = shard.ffnColumns().size();
    return new Workspace(
        new Activations(arena, maxRows, hidden),
        new Activations(arena, maxRows, hidden),
        new Activations(arena, maxRows, hidden),
        new Activations(arena, maxRows, heads),
        new Activations(arena, maxRows, kvHeads),
        new Activations(arena, maxRows, kvHeads),
        new Activations(arena, maxRows, heads),
        new Activations(arena, maxRows, ffn),
        new Activations(arena, maxRows, ffn),
        new MatmulInput(arena, maxRows, hidden),
        new MatmulInput(arena, maxRows, heads),
        new MatmulInput(arena, maxRows, ffn));
  }
}
