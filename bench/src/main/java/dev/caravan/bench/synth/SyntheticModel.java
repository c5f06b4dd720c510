package dev.caravan.bench.synth;

import dev.caravan.model.checkpoint.DType;
import dev.caravan.model.checkpoint.GgufNames;
import dev.caravan.model.checkpoint.GgufWriter;
import dev.caravan.model.checkpoint.RandomBlocks;
import dev.caravan.model.checkpoint.WeightName;
import dev.caravan.model.checkpoint.WeightShape;
import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.config.RopeScaling;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.LongConsumer;

/**
 * A GGUF file of a true geometry with random weights: matrices of one type, norms of ones in F32.
 * Immutable.
 *
 * @param geometry whose shapes, rotation and kind of vocabulary it has
 * @param config the same, perhaps with fewer layers or tokens
 * @param dtype of all matrices
 * @param seed same seed, same bytes
 */
public record SyntheticModel(Geometry geometry, LlamaConfig config, DType dtype, long seed) {
  private static final int PIECES_PER_THREAD = 2;
  private static final int QUANTIZATION_VERSION = 2;
  private static final String ROPE_FACTORS = "rope_freqs.weight";

  public SyntheticModel {
    if (config.vocabSize() < SyntheticVocabulary.MIN_TOKENS) {
      throw new IllegalArgumentException(
          "a vocabulary of %d tokens, at least %d are needed for bytes and special tokens"
              .formatted(config.vocabSize(), SyntheticVocabulary.MIN_TOKENS));
    }
  }

  /** Weights that are learnt, as a model's size is counted. */
  public long parameters() {
    long parameters = 0;
    for (WeightName name : weights()) {
      WeightShape shape = WeightShape.of(name.kind(), config);
      parameters += (long) shape.rows() * shape.columns();
    }
    return parameters;
  }

  /** Bytes of all tensors; the file is a header of a few MiB larger at most. */
  public long tensorBytes() {
    long bytes = 0;
    for (WeightName name : weights()) {
      bytes += bytes(name);
    }
    return bytes;
  }

  /**
   * Writes the file; it appears under its name when it is complete.
   *
   * @param threads that draw weights
   * @param onWritten hears the bytes of each piece written
   */
  public void write(Path file, int threads, LongConsumer onWritten) throws IOException {
    GgufWriter writer = new GgufWriter();
    describe(writer);
    new SyntheticVocabulary(geometry.isByteLevel(), config.vocabSize()).describe(writer);
    try (ExecutorService executor =
        Executors.newFixedThreadPool(
            threads, Thread.ofPlatform().daemon().name("synth-", 0).factory())) {
      var drawing = new RandomTensor.Drawing(executor, threads * PIECES_PER_THREAD, onWritten);
      addTensors(writer, drawing);
      writer.write(file);
    }
  }

  private void describe(GgufWriter writer) {
    writer
        .metadata("general.architecture", "llama")
        .metadata("general.type", "model")
        .metadata("general.name", "Random weights in the shape of " + geometry)
        .metadata("general.size_label", geometry.size())
        .metadata("general.quantization_version", QUANTIZATION_VERSION)
        .metadata("general.file_type", fileType())
        .metadata("llama.block_count", config.layers())
        .metadata("llama.context_length", config.contextLength())
        .metadata("llama.embedding_length", config.hiddenSize())
        .metadata("llama.feed_forward_length", config.intermediateSize())
        .metadata("llama.attention.head_count", config.heads())
        .metadata("llama.attention.head_count_kv", config.kvHeads())
        .metadata("llama.attention.key_length", config.headDim())
        .metadata("llama.attention.value_length", config.headDim())
        .metadata("llama.attention.layer_norm_rms_epsilon", config.rmsNormEps())
        .metadata("llama.rope.dimension_count", config.headDim())
        .metadata("llama.rope.freq_base", (float) config.ropeTheta())
        .metadata("llama.vocab_size", config.vocabSize());
  }

  private void addTensors(GgufWriter writer, RandomTensor.Drawing drawing) {
    for (WeightName name : weights()) {
      WeightShape shape = WeightShape.of(name.kind(), config);
      String spelled = GgufNames.of(name);
      if (shape.rows() == 1) {
        writer.tensor(
            spelled, DType.F32, 1, shape.columns(), out -> writeOnes(out, shape.columns()));
      } else {
        // Products as large as their inputs; the same for embeddings, whose rows are normed first.
        double deviation = 1 / Math.sqrt(shape.columns());
        long tensorSeed = RandomBlocks.mix(seed + ((long) spelled.hashCode() << Integer.SIZE));
        writer.tensor(
            spelled,
            dtype,
            shape.rows(),
            shape.columns(),
            new RandomTensor(dtype, bytes(name), deviation, tensorSeed, drawing));
      }
    }
    if (config.ropeScaling() instanceof RopeScaling.Llama3) {
      writer.tensor(ROPE_FACTORS, DType.F32, 1, config.headDim() / 2, this::writeRopeFactors);
    }
  }

  /** In the order of the model; a tied head is no weight of its own. */
  private List<WeightName> weights() {
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

  private long bytes(WeightName name) {
    WeightShape shape = WeightShape.of(name.kind(), config);
    DType type = shape.rows() == 1 ? DType.F32 : dtype;
    return shape.rows() * type.bytes(shape.columns());
  }

  /** What {@code general.file_type} says of the type that most matrices have. */
  private int fileType() {
    return switch (dtype) {
      case F32 -> 0;
      case F16 -> 1;
      case Q4_0 -> 2;
      case Q8_0 -> 7;
      case Q4_K -> 15;
      case Q5_K -> 17;
      case Q6_K -> 18;
      case BF16 -> 32;
    };
  }

  private void writeRopeFactors(OutputStream out) throws IOException {
    double[] plain = new RopeScaling.None().frequencies(config.ropeTheta(), config.headDim());
    double[] scaled = config.ropeScaling().frequencies(config.ropeTheta(), config.headDim());
    byte[] bytes = new byte[plain.length * Float.BYTES];
    ByteBuffer factors = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < plain.length; i++) {
      factors.putFloat((float) (plain[i] / scaled[i]));
    }
    out.write(bytes);
  }

  private static void writeOnes(OutputStream out, int columns) throws IOException {
    byte[] bytes = new byte[columns * Float.BYTES];
    ByteBuffer ones = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < columns; i++) {
      ones.putFloat(1);
    }
    out.write(bytes);
  }
}
