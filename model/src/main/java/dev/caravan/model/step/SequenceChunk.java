package dev.caravan.model.step;

/**
 * Consecutive tokens of one sequence: one when it decodes, many when its prompt is prefilled.
 *
 * @param startPosition position of the first token in its sequence
 * @param tokens ids, at least one
 * @param blocks KV blocks of the sequence in order: position p lives in blocks[p / 16]; covers all
 *     positions up to the last token of the chunk
 * @param logits which rows' logits are wanted
 */
@SuppressWarnings("ArrayRecordComponent") // hot path: one per sequence and step, never compared
public record SequenceChunk(int startPosition, int[] tokens, int[] blocks, Logits logits) {

  /** Which rows of a chunk need logits. */
  public enum Logits {
    NONE,
    LAST,
    ALL
  }

  public int logitsRows() {
    return switch (logits) {
      case NONE -> 0;
      case LAST -> 1;
      case ALL -> tokens.length;
    };
  }
}
