package dev.caravan.model.checkpoint;

import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.config.RopeScaling;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;

/**
 * Writes GGUF files of small Llamas with random weights, for the tests of all modules.
 *
 * <p>The elements of a matrix have a standard deviation of about 1 / sqrt(columns), whatever its
 * type, so that activations keep their size from layer to layer. The same arguments give the same
 * bytes; the bytes of a weight depend on its name, type and shape only.
 */
public final class TinyLlama {
  private TinyLlama() {}

  /**
   * Writes a model without a vocabulary.
   *
   * @param types of the matrices; norms are always F32
   * @param seed of the weights
   */
  public static void write(
      Path file, LlamaConfig config, Function<WeightName, DType> types, long seed)
      throws IOException {
    write(file, config, types, seed, Map.of("tokenizer.ggml.model", "no_vocab"));
  }

  /**
   * Writes a model with metadata of the caller's choice, {@code tokenizer.*} for example.
   *
   * @param extraMetadata added after the geometry, values as {@link GgufWriter#metadata} takes them
   */
  public static void write(
      Path file,
      LlamaConfig config,
      Function<WeightName, DType> types,
      long seed,
      Map<String, Object> extraMetadata)
      throws IOException {
    GgufWriter writer = new GgufWriter();
    geometry(writer, config);
    extraMetadata.forEach(writer::metadata);
    ropeFactors(writer, config);
    for (WeightName name : weights(config)) {
      WeightShape shape = WeightShape.of(name.kind(), config);
      DType dtype = shape.rows() == 1 ? DType.F32 : types.apply(name);
      String spelled = GgufNames.of(name);
      Random random = new Random(seed * 31 + spelled.hashCode());
      writer.tensor(
          spelled,
          dtype,
          shape.rows(),
          shape.columns(),
          isNorm(name)
              ? out -> writeNorm(out, random, shape.columns())
              : out -> writeMatrix(out, random, dtype, shape));
    }
    writer.write(file);
  }

  /** Lists all weights that a geometry has, the output head only where it is not tied. */
  public static List<WeightName> weights(LlamaConfig config) {
    List<WeightName> names = new ArrayList<>();
    names.add(WeightName.of(WeightName.Kind.TOKEN_EMBEDDING));
    for (int layer = 0; layer < config.layers(); layer++) {
      for (WeightName.Kind kind : WeightName.Kind.values()) {
        if (kind.isPerLayer()) {
          names.add(WeightName.of(kind, layer));
        }
      }
    }
    names.add(WeightName.of(WeightName.Kind.FINAL_NORM));
    if (!config.tiedEmbeddings()) {
      names.add(WeightName.of(WeightName.Kind.OUTPUT));
    }
    return names;
  }

  private static void geometry(GgufWriter writer, LlamaConfig config) {
    writer
        .metadata("general.architecture", "llama")
        .metadata("llama.vocab_size", config.vocabSize())
        .metadata("llama.context_length", config.contextLength())
        .metadata("llama.embedding_length", config.hiddenSize())
        .metadata("llama.block_count", config.layers())
        .metadata("llama.feed_forward_length", config.intermediateSize())
        .metadata("llama.attention.head_count", config.heads())
        .metadata("llama.attention.head_count_kv", config.kvHeads())
        .metadata("llama.attention.key_length", config.headDim())
        .metadata("llama.attention.value_length", config.headDim())
        .metadata("llama.attention.layer_norm_rms_epsilon", config.rmsNormEps())
        .metadata("llama.rope.dimension_count", config.headDim())
        .metadata("llama.rope.freq_base", (float) config.ropeTheta());
    if (config.ropeScaling() instanceof RopeScaling.Linear(double factor)) {
      writer
          .metadata("llama.rope.scaling.type", "linear")
          .metadata("llama.rope.scaling.factor", (float) factor);
    }
  }

  /** GGUF has no key for Llama 3's scaling: the divisors that follow from it are a tensor. */
  private static void ropeFactors(GgufWriter writer, LlamaConfig config) {
    RopeScaling scaling = config.ropeScaling();
    if (scaling instanceof RopeScaling.None || scaling instanceof RopeScaling.Linear) {
      return;
    }
    double[] plain = new RopeScaling.None().frequencies(config.ropeTheta(), config.headDim());
    double[] scaled = scaling.frequencies(config.ropeTheta(), config.headDim());
    ByteBuffer divisors = little(plain.length * Float.BYTES);
    for (int i = 0; i < plain.length; i++) {
      divisors.putFloat((float) (plain[i] / scaled[i]));
    }
    writer.tensor(
        "rope_freqs.weight", DType.F32, 1, plain.length, out -> out.write(divisors.array()));
  }

  private static boolean isNorm(WeightName name) {
    return switch (name.kind()) {
      case ATTENTION_NORM, FFN_NORM, FINAL_NORM -> true;
      default -> false;
    };
  }

  private static void writeNorm(OutputStream out, Random random, int columns) throws IOException {
    ByteBuffer row = little(columns * Float.BYTES);
    for (int i = 0; i < columns; i++) {
      row.putFloat((float) (1 + 0.1 * random.nextGaussian()));
    }
    out.write(row.array());
  }

  private static void writeMatrix(OutputStream out, Random random, DType dtype, WeightShape shape)
      throws IOException {
    double deviation = 1 / Math.sqrt(shape.columns());
    byte[] row = new byte[Math.toIntExact(dtype.bytes(shape.columns()))];
    ByteBuffer buffer = ByteBuffer.wrap(row).order(ByteOrder.LITTLE_ENDIAN);
    for (int r = 0; r < shape.rows(); r++) {
      random.nextBytes(row);
      for (int block = 0; block < row.length; block += dtype.blockBytes()) {
        setScales(buffer, block, dtype, deviation, random);
      }
      out.write(row);
    }
  }

  /**
   * Turns a block of random bytes into one whose elements have about that deviation. The divisors
   * are the deviations of the elements of random bytes at a scale of 1.
   */
  private static void setScales(
      ByteBuffer row, int block, DType dtype, double deviation, Random random) {
    switch (dtype) {
      case F32 -> row.putFloat(block, (float) (deviation * random.nextGaussian()));
      case F16 -> row.putShort(block, f16(deviation * random.nextGaussian()));
      case BF16 ->
          row.putShort(
              block,
              (short) (Float.floatToIntBits((float) (deviation * random.nextGaussian())) >> 16));
      case Q8_0 -> row.putShort(block, f16(deviation / 74));
      case Q4_0 -> row.putShort(block, f16(deviation / 4.6));
      case Q4_K -> {
        row.putShort(block, f16(deviation / 255));
        row.putShort(block + 2, f16(deviation / 255 * 7.5));
      }
      case Q5_K -> {
        row.putShort(block, f16(deviation / 525));
        row.putShort(block + 2, f16(deviation / 525 * 15.5));
      }
      case Q6_K -> {
        for (int i = 192; i < 208; i++) {
          row.put(block + i, (byte) (row.get(block + i) >> 2));
        }
        row.putShort(block + 208, f16(deviation / 342));
      }
    }
  }

  private static short f16(double value) {
    return Float.floatToFloat16((float) value);
  }

  private static ByteBuffer little(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
