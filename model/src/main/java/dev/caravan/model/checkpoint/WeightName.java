package dev.caravan.model.checkpoint;

/**
 * A weight of a Llama, independent of how a file format spells it.
 *
 * @param kind which weight
 * @param layer index of its block; -1 for a weight outside the blocks
 */
public record WeightName(Kind kind, int layer) {

  /** The weights of a Llama; shapes are [rows, columns]. */
  public enum Kind {
    /** [vocabSize, hiddenSize]. */
    TOKEN_EMBEDDING(false),
    /** [hiddenSize]. */
    ATTENTION_NORM(true),
    /** [heads * headDim, hiddenSize]. */
    QUERY(true),
    /** [kvHeads * headDim, hiddenSize]. */
    KEY(true),
    /** [kvHeads * headDim, hiddenSize]. */
    VALUE(true),
    /** [hiddenSize, heads * headDim]. */
    ATTENTION_OUTPUT(true),
    /** [hiddenSize]. */
    FFN_NORM(true),
    /** [intermediateSize, hiddenSize]. */
    FFN_GATE(true),
    /** [intermediateSize, hiddenSize]. */
    FFN_UP(true),
    /** [hiddenSize, intermediateSize]. */
    FFN_DOWN(true),
    /** [hiddenSize]. */
    FINAL_NORM(false),
    /** [vocabSize, hiddenSize]; the token embedding where embeddings are tied. */
    OUTPUT(false);

    private final boolean perLayer;

    Kind(boolean perLayer) {
      this.perLayer = perLayer;
    }

    public boolean isPerLayer() {
      return perLayer;
    }
  }

  public WeightName {
    if (kind.isPerLayer() != layer >= 0) {
      throw new IllegalArgumentException("%s with layer %d".formatted(kind, layer));
    }
  }

  public static WeightName of(Kind kind) {
    return new WeightName(kind, -1);
  }

  public static WeightName of(Kind kind, int layer) {
    return new WeightName(kind, layer);
  }
}
