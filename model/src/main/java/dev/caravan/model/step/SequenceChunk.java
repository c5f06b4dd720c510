package dev.caravan.model.step;

import java.util.Collections;
import java.util.List;

/**
 * Consecutive tokens of one sequence: one when it decodes, many when its prompt is prefilled.
 *
 * @param startPosition position of the first token in its sequence
 * @param tokens ids, at least one
 * @param blocks KV blocks of the sequence in order: position p lives in blocks[p / 16]; covers all
 *     positions up to the last token of the chunk
 * @param queries what the last rows have to answer, one for each of them; the rows before them
 *     answer nothing
 */
@SuppressWarnings("ArrayRecordComponent") // hot path: one per sequence and step, never compared
public record SequenceChunk(int startPosition, int[] tokens, int[] blocks, List<RowQuery> queries) {

  /** Which rows of a chunk have to answer. */
  public enum Logits {
    NONE,
    LAST,
    ALL
  }

  public SequenceChunk {
    queries = List.copyOf(queries);
    if (queries.size() > tokens.length) {
      throw new IllegalArgumentException(
          "%d queries for %d rows".formatted(queries.size(), tokens.length));
    }
  }

  /** A chunk of which some rows answer all their logits. */
  public SequenceChunk(int startPosition, int[] tokens, int[] blocks, Logits logits) {
    this(
        startPosition,
        tokens,
        blocks,
        Collections.nCopies(
            switch (logits) {
              case NONE -> 0;
              case LAST -> 1;
              case ALL -> tokens.length;
            },
            RowQuery.ALL));
  }

  /** Rows that have to answer: the last ones. */
  public int logitsRows() {
    return queries.size();
  }
}
