package dev.caravan.model.step;

/** What a row answers to its {@link RowQuery}. */
public sealed interface RowAnswer {

  /**
   * All logits.
   *
   * @param logits [vocabSize], or of one rank [its vocabulary rows]
   */
  @SuppressWarnings("ArrayRecordComponent") // hot path: one per row, never compared
  record All(float[] logits) implements RowAnswer {}

  /**
   * Some logits. Of one rank, or joined: then every id that is not here comes after all that are,
   * in the order of {@link LogitOrder}.
   *
   * @param ids of the vocabulary, in the order of LogitOrder; one if the id was drawn
   * @param logits of those ids
   * @param asked logits of the query's ids in their order; of one rank only of ids that it has
   * @param mass of all logits at the query's temperature, NONE if it was not wanted
   */
  @SuppressWarnings("ArrayRecordComponent") // hot path: one per row, never compared
  record Candidates(int[] ids, float[] logits, float[] asked, LogitMass mass) implements RowAnswer {

    public Candidates {
      if (ids.length != logits.length) {
        throw new IllegalArgumentException(
            "%d ids with %d logits".formatted(ids.length, logits.length));
      }
    }
  }
}
