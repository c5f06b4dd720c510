package dev.caravan.model.checkpoint;

import dev.caravan.model.config.LlamaConfig;

/**
 * The shape that a geometry gives a weight.
 *
 * @param rows outputs of a matrix; 1 for a vector
 * @param columns inputs of a matrix; length of a vector
 */
public record WeightShape(int rows, int columns) {

  /** Returns the shape of a kind of weight; it is the same in all layers. */
  public static WeightShape of(WeightName.Kind kind, LlamaConfig config) {
    int hidden = config.hiddenSize();
    return switch (kind) {
      case TOKEN_EMBEDDING, OUTPUT -> new WeightShape(config.vocabSize(), hidden);
      case ATTENTION_NORM, FFN_NORM, FINAL_NORM -> new WeightShape(1, hidden);
      case QUERY -> new WeightShape(config.attentionSize(), hidden);
      case KEY, VALUE -> new WeightShape(config.kvSize(), hidden);
      case ATTENTION_OUTPUT -> new WeightShape(hidden, config.attentionSize());
      case FFN_GATE, FFN_UP -> new WeightShape(config.intermediateSize(), hidden);
      case FFN_DOWN -> new WeightShape(hidden, config.intermediateSize());
    };
  }

  @Override
  public String toString() {
    return "[" + rows + ", " + columns + "]";
  }
}
