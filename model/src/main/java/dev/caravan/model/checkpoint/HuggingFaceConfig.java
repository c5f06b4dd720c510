package dev.caravan.model.checkpoint;

import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.config.RopeScaling;
import java.nio.file.Path;
import java.util.Optional;

/** Reads the geometry of a Llama from the {@code config.json} of a Hugging Face directory. */
final class HuggingFaceConfig {
  static final String FILE_NAME = "config.json";

  // What the transformers library assumes where a configuration says nothing.
  private static final int DEFAULT_CONTEXT_LENGTH = 2048;
  private static final double DEFAULT_RMS_NORM_EPS = 1e-6;
  private static final double DEFAULT_ROPE_THETA = 10_000;

  private final Path file;
  private final JsonFields fields;

  private HuggingFaceConfig(Path file, JsonFields fields) {
    this.file = file;
    this.fields = fields;
  }

  /**
   * Reads and checks a file.
   *
   * @throws dev.caravan.model.error.ClusterException INVALID_REQUEST if it describes another model
   *     type or a variant that is not supported, CHECKPOINT_CORRUPT if a field is missing or
   *     impossible
   */
  static LlamaConfig read(Path file) {
    return new HuggingFaceConfig(file, new JsonFields(file, JsonDocument.read(file), "")).config();
  }

  private LlamaConfig config() {
    checkSupported();
    int hiddenSize = fields.requiredInt("hidden_size");
    int heads = fields.requiredInt("num_attention_heads");
    try {
      return new LlamaConfig(
          hiddenSize,
          fields.requiredInt("intermediate_size"),
          fields.requiredInt("num_hidden_layers"),
          heads,
          fields.optionalInt("num_key_value_heads").orElse(heads),
          fields.optionalInt("head_dim").orElseGet(() -> derivedHeadDim(hiddenSize, heads)),
          fields.requiredInt("vocab_size"),
          fields.optionalInt("max_position_embeddings").orElse(DEFAULT_CONTEXT_LENGTH),
          (float) fields.optionalDouble("rms_norm_eps").orElse(DEFAULT_RMS_NORM_EPS),
          ropeTheta(),
          ropeScaling(),
          fields.bool("tie_word_embeddings", false));
    } catch (IllegalArgumentException e) {
      throw CheckpointErrors.corrupt(file, "impossible geometry: " + e.getMessage(), e);
    }
  }

  private void checkSupported() {
    String type =
        fields.optionalString("model_type").orElseThrow(() -> fields.missing("model_type"));
    if (!type.equals("llama")) {
      throw unsupported("model_type \"%s\" is not supported, only \"llama\" is".formatted(type));
    }
    String activation = fields.optionalString("hidden_act").orElse("silu");
    if (!activation.equals("silu")) {
      throw unsupported(
          "hidden_act \"%s\" is not supported, only \"silu\" is".formatted(activation));
    }
    for (String bias : new String[] {"attention_bias", "mlp_bias"}) {
      if (fields.bool(bias, false)) {
        throw unsupported(bias + " is true; Llama variants with biases are not supported");
      }
    }
    if (fields.optionalObject("quantization_config").isPresent()) {
      throw unsupported(
          "quantization_config is set; use the original F32, F16 or BF16 model or a GGUF file");
    }
  }

  private int derivedHeadDim(int hiddenSize, int heads) {
    if (heads < 1 || hiddenSize % heads != 0) {
      throw new IllegalArgumentException(
          "hidden_size %d is not a multiple of num_attention_heads %d and there is no head_dim"
              .formatted(hiddenSize, heads));
    }
    return hiddenSize / heads;
  }

  private double ropeTheta() {
    return fields
        .optionalObject("rope_parameters")
        .map(rope -> rope.optionalDouble("rope_theta"))
        .filter(theta -> theta.isPresent())
        .orElseGet(() -> fields.optionalDouble("rope_theta"))
        .orElse(DEFAULT_ROPE_THETA);
  }

  private RopeScaling ropeScaling() {
    Optional<JsonFields> found =
        fields.optionalObject("rope_parameters").or(() -> fields.optionalObject("rope_scaling"));
    if (found.isEmpty()) {
      return new RopeScaling.None();
    }
    JsonFields rope = found.get();
    double rotated = rope.optionalDouble("partial_rotary_factor").orElse(1);
    if (rotated != 1) {
      throw unsupported(
          "partial_rotary_factor %s is not supported, only full rotation is".formatted(rotated));
    }
    String type =
        rope.optionalString("rope_type").or(() -> rope.optionalString("type")).orElse("default");
    return switch (type) {
      case "default" -> new RopeScaling.None();
      case "linear" -> new RopeScaling.Linear(rope.requiredDouble("factor"));
      case "llama3" ->
          new RopeScaling.Llama3(
              rope.requiredDouble("factor"),
              rope.requiredDouble("low_freq_factor"),
              rope.requiredDouble("high_freq_factor"),
              rope.requiredInt("original_max_position_embeddings"));
      default ->
          throw unsupported(
              "RoPE scaling \"%s\" is not supported, only default, linear and llama3 are"
                  .formatted(type));
    };
  }

  private RuntimeException unsupported(String problem) {
    return CheckpointErrors.unsupported(file, problem);
  }
}
