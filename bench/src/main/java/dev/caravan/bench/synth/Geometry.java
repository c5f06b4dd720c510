package dev.caravan.bench.synth;

import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.config.RopeScaling;
import java.util.Arrays;

/** The geometries of the released Llama models, as their configuration files state them. */
public enum Geometry {
  LLAMA_3_2_1B("llama-3.2-1b", "1B", llama3(2048, 8192, 16, 32, 64, 32, true)),
  LLAMA_3_2_3B("llama-3.2-3b", "3B", llama3(3072, 8192, 28, 24, 128, 32, true)),
  LLAMA_3_1_8B("llama-3.1-8b", "8B", llama3(4096, 14336, 32, 32, 128, 8, false)),
  LLAMA_3_1_70B("llama-3.1-70b", "70B", llama3(8192, 28672, 80, 64, 128, 8, false)),
  LLAMA_3_1_405B("llama-3.1-405b", "405B", llama3(16384, 53248, 126, 128, 128, 8, false)),
  LLAMA_2_7B("llama-2-7b", "7B", llama2(4096, 11008, 32, 32, 32)),
  LLAMA_2_13B("llama-2-13b", "13B", llama2(5120, 13824, 40, 40, 40)),
  LLAMA_2_70B("llama-2-70b", "70B", llama2(8192, 28672, 80, 64, 8));

  private static final float NORM_EPS = 1e-5f;

  private final String label;
  private final String size;

  @SuppressWarnings("Immutable") // a record of numbers; the model module knows no Error Prone
  private final LlamaConfig config;

  Geometry(String label, String size, LlamaConfig config) {
    this.label = label;
    this.size = size;
    this.config = config;
  }

  /**
   * Finds a geometry by its name, for example llama-3.2-1b.
   *
   * @throws IllegalArgumentException with all names if there is none of that name
   */
  public static Geometry parse(String label) {
    return Arrays.stream(values())
        .filter(geometry -> geometry.label.equals(label))
        .findFirst()
        .orElseThrow(() ->
            new IllegalArgumentException(
                "\"%s\" is not one of %s"
                    .formatted(
                        label,
                        String.join(", ", Arrays.stream(values()).map(g -> g.label).toList()))));
  }

  public LlamaConfig config() {
    return config;
  }

  /** Returns true for the byte-level vocabulary of Llama 3, false for Llama 2's SentencePiece. */
  public boolean isByteLevel() {
    return name().startsWith("LLAMA_3");
  }

  /** Size as people call it. */
  public String size() {
    return size;
  }

  /** Returns the same geometry with other numbers of layers and tokens. */
  public LlamaConfig config(int layers, int vocabSize) {
    return new LlamaConfig(
        config.hiddenSize(),
        config.intermediateSize(),
        layers,
        config.heads(),
        config.kvHeads(),
        config.headDim(),
        vocabSize,
        config.contextLength(),
        config.rmsNormEps(),
        config.ropeTheta(),
        config.ropeScaling(),
        config.tiedEmbeddings());
  }

  @Override
  public String toString() {
    return label;
  }

  private static LlamaConfig llama3(
      int hidden, int intermediate, int layers, int heads, int headDim, int factor, boolean tied) {
    return new LlamaConfig(
        hidden,
        intermediate,
        layers,
        heads,
        8,
        headDim,
        128_256,
        131_072,
        NORM_EPS,
        500_000,
        new RopeScaling.Llama3(factor, 1, 4, 8192),
        tied);
  }

  private static LlamaConfig llama2(
      int hidden, int intermediate, int layers, int heads, int kvHeads) {
    return new LlamaConfig(
        hidden,
        intermediate,
        layers,
        heads,
        kvHeads,
        128,
        32_000,
        4096,
        NORM_EPS,
        10_000,
        new RopeScaling.None(),
        false);
  }
}
