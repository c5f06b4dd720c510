package dev.caravan.model.shard;

/**
 * The part of a model that one worker holds.
 *
 * @param stage pipeline stage
 * @param rank tensor-parallel rank inside the stage
 * @param layers transformer blocks of the stage
 * @param heads query heads of the rank
 * @param kvHeads KV heads that those query heads read; ranks may share one at the border
 * @param ffnColumns columns of the feed-forward layer
 * @param vocabRows rows of the output head; empty unless this is the last stage
 */
public record Shard(
    int stage,
    int rank,
    IntRange layers,
    IntRange heads,
    IntRange kvHeads,
    IntRange ffnColumns,
    IntRange vocabRows) {}
