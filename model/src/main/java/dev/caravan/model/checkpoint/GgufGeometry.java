package dev.caravan.model.checkpoint;

import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.config.RopeScaling;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/** Reads the geometry of a Llama from the {@code llama.*} metadata of a GGUF file. */
final class GgufGeometry {
  private static final ValueLayout.OfFloat F32 =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Path file;
  private final GgufMetadata metadata;
  private final Map<String, TensorEntry> tensors;

  GgufGeometry(GgufMetadata metadata, Map<String, TensorEntry> tensors) {
    this.file = metadata.file();
    this.metadata = metadata;
    this.tensors = tensors;
  }

  /**
   * Reads and checks it.
   *
   * @throws dev.caravan.model.error.ClusterException INVALID_REQUEST if the file holds another
   *     architecture or a variant that is not supported, CHECKPOINT_CORRUPT if a key is missing or
   *     impossible
   */
  LlamaConfig read() {
    checkArchitecture();
    int hiddenSize = metadata.requiredInt("llama.embedding_length");
    int heads = metadata.requiredInt("llama.attention.head_count");
    int headDim = headDim(hiddenSize, heads);
    try {
      return new LlamaConfig(
          hiddenSize,
          metadata.requiredInt("llama.feed_forward_length"),
          metadata.requiredInt("llama.block_count"),
          heads,
          metadata.optionalInt("llama.attention.head_count_kv").orElse(heads),
          headDim,
          vocabSize(),
          metadata.requiredInt("llama.context_length"),
          (float) metadata.requiredDouble("llama.attention.layer_norm_rms_epsilon"),
          metadata.optionalDouble("llama.rope.freq_base").orElse(10_000),
          ropeScaling(headDim),
          !tensors.containsKey(GgufNames.OUTPUT));
    } catch (IllegalArgumentException e) {
      throw CheckpointErrors.corrupt(file, "impossible geometry: " + e.getMessage(), e);
    }
  }

  private void checkArchitecture() {
    String architecture =
        metadata
            .optionalString("general.architecture")
            .orElseThrow(
                () -> CheckpointErrors.corrupt(file, "metadata general.architecture is missing"));
    if (!architecture.equals("llama")) {
      throw CheckpointErrors.unsupported(
          file, "architecture \"%s\" is not supported, only \"llama\" is".formatted(architecture));
    }
    int experts = metadata.optionalInt("llama.expert_count").orElse(0);
    if (experts > 0) {
      throw CheckpointErrors.unsupported(
          file, "mixture of %d experts; only dense Llama models are supported".formatted(experts));
    }
    for (String name : tensors.keySet()) {
      if (name.endsWith(".bias")) {
        throw CheckpointErrors.unsupported(
            file, "tensor %s: Llama variants with biases are not supported".formatted(name));
      }
    }
  }

  private int headDim(int hiddenSize, int heads) {
    int derived = heads > 0 ? hiddenSize / heads : 0;
    int keyLength = metadata.optionalInt("llama.attention.key_length").orElse(derived);
    int valueLength = metadata.optionalInt("llama.attention.value_length").orElse(derived);
    if (keyLength != valueLength) {
      throw CheckpointErrors.unsupported(
          file,
          "keys of %d and values of %d elements; only equal sizes are supported"
              .formatted(keyLength, valueLength));
    }
    int rotated = metadata.optionalInt("llama.rope.dimension_count").orElse(keyLength);
    if (rotated != keyLength) {
      throw CheckpointErrors.unsupported(
          file,
          "llama.rope.dimension_count is %d but a head has %d elements; only full rotation is"
                  .formatted(rotated, keyLength)
              + " supported");
    }
    return keyLength;
  }

  private int vocabSize() {
    TensorEntry embedding = tensors.get(GgufNames.TOKEN_EMBEDDING);
    long rows =
        embedding != null
            ? embedding.rows()
            : metadata.optionalArray("tokenizer.ggml.tokens").map(GgufArray::count).orElse(0L);
    // A number of rows beyond int is beyond LlamaConfig's limit as well, which reports it.
    return metadata.optionalInt("llama.vocab_size").orElse((int) Math.min(rows, Integer.MAX_VALUE));
  }

  private RopeScaling ropeScaling(int headDim) {
    double factor = linearFactor();
    TensorEntry factors = tensors.get("rope_freqs.weight");
    if (factors != null) {
      return new RopeScaling.Factors(divisors(factors, factor, headDim));
    }
    return factor == 1 ? new RopeScaling.None() : new RopeScaling.Linear(factor);
  }

  private double linearFactor() {
    String type = metadata.optionalString("llama.rope.scaling.type").orElse("linear");
    OptionalDouble factor = metadata.optionalDouble("llama.rope.scaling.factor");
    return switch (type) {
      case "none" -> 1;
      // llama.cpp writes a factor of 0 for "no scaling", and once called the key scale_linear.
      case "linear" -> {
        double value = factor.orElse(metadata.optionalDouble("llama.rope.scale_linear").orElse(1));
        yield value == 0 ? 1 : value;
      }
      default ->
          throw CheckpointErrors.unsupported(
              file,
              "llama.rope.scaling.type \"%s\" is not supported, only none and linear are"
                  .formatted(type));
    };
  }

  private List<Float> divisors(TensorEntry factors, double linear, int headDim) {
    if (factors.dtype() != DType.F32 || factors.rows() != 1) {
      throw CheckpointErrors.corrupt(file, "tensor rope_freqs.weight is not a vector of F32");
    }
    if (factors.columns() != headDim / 2) {
      throw CheckpointErrors.corrupt(
          file,
          "tensor rope_freqs.weight has %d elements, a head size of %d needs %d"
              .formatted(factors.columns(), headDim, headDim / 2));
    }
    List<Float> divisors = new ArrayList<>();
    for (int i = 0; i < headDim / 2; i++) {
      divisors.add((float) (factors.data().getAtIndex(F32, i) * linear));
    }
    return divisors;
  }
}
