package dev.caravan.model.config;

/**
 * The geometry of a Llama model.
 *
 * @param hiddenSize width of the residual stream
 * @param intermediateSize width of the feed-forward layer (FFN columns)
 * @param layers number of transformer blocks
 * @param heads query heads
 * @param kvHeads key/value heads; query head h reads KV head h / (heads / kvHeads)
 * @param headDim size of one head; not always hiddenSize / heads
 * @param vocabSize rows of the token embedding and of the output head
 * @param contextLength positions the model was trained for
 * @param rmsNormEps added to the mean square before the root
 * @param ropeTheta base of the rotary frequencies
 * @param ropeScaling stretching of the rotary frequencies
 * @param tiedEmbeddings true if the output head is the token embedding
 */
public record LlamaConfig(
    int hiddenSize,
    int intermediateSize,
    int layers,
    int heads,
    int kvHeads,
    int headDim,
    int vocabSize,
    int contextLength,
    float rmsNormEps,
    double ropeTheta,
    RopeScaling ropeScaling,
    boolean tiedEmbeddings) {

  private static final int MAX_WIDTH = 1 << 20;

  public LlamaConfig {
    checkRange("hidden size", hiddenSize, MAX_WIDTH);
    checkRange("intermediate size", intermediateSize, MAX_WIDTH);
    checkRange("layers", layers, 4096);
    checkRange("heads", heads, 4096);
    checkRange("KV heads", kvHeads, heads);
    checkRange("head size", headDim, 4096);
    checkRange("vocabulary", vocabSize, 1 << 24);
    checkRange("context length", contextLength, 1 << 28);
    if (heads % kvHeads != 0) {
      throw new IllegalArgumentException(
          "heads %d is not a multiple of KV heads %d".formatted(heads, kvHeads));
    }
    if (headDim % 2 != 0) {
      throw new IllegalArgumentException("head size %d is odd".formatted(headDim));
    }
    if (!(rmsNormEps > 0 && rmsNormEps < 1)) {
      throw new IllegalArgumentException(
          "RMS norm epsilon %s is not in (0, 1)".formatted(rmsNormEps));
    }
    if (!(ropeTheta > 0 && ropeTheta < 1e12)) {
      throw new IllegalArgumentException("RoPE theta %s is not in (0, 1e12)".formatted(ropeTheta));
    }
    if (ropeScaling instanceof RopeScaling.Factors f && f.divisors().size() != headDim / 2) {
      throw new IllegalArgumentException(
          "%d RoPE factors for head size %d: %d are needed"
              .formatted(f.divisors().size(), headDim, headDim / 2));
    }
  }

  /** Query heads that share one KV head. */
  public int headsPerKvHead() {
    return heads / kvHeads;
  }

  /** Width of all query heads together. */
  public int attentionSize() {
    return heads * headDim;
  }

  /** Width of all key (or value) heads together. */
  public int kvSize() {
    return kvHeads * headDim;
  }

  private static void checkRange(String what, int value, int max) {
    if (value < 1 || value > max) {
      throw new IllegalArgumentException("%s %d is not in 1..%d".formatted(what, value, max));
    }
  }
}
