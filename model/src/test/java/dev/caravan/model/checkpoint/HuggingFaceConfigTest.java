package dev.caravan.model.checkpoint;

import static dev.caravan.model.checkpoint.Failures.assertCorrupt;
import static dev.caravan.model.checkpoint.Failures.assertInvalid;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.config.RopeScaling;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HuggingFaceConfigTest {
  private static final String MINIMAL =
      """
      {"model_type": "llama", "hidden_size": 32, "intermediate_size": 64, "vocab_size": 48,
       "num_hidden_layers": 2, "num_attention_heads": 4\
      """;

  @TempDir Path directory;

  @Test
  void takesTheDefaultsOfTheLibrary() throws IOException {
    assertThat(read(MINIMAL + "}"))
        .isEqualTo(
            new LlamaConfig(
                32, 64, 2, 4, 4, 8, 48, 2048, 1e-6f, 10_000, new RopeScaling.None(), false));
  }

  @Test
  void headDimNeedNotBeDerived() throws IOException {
    assertThat(read(MINIMAL + ", \"head_dim\": 20}").headDim()).isEqualTo(20);
    assertThat(read(MINIMAL + ", \"head_dim\": null}").headDim()).isEqualTo(8);
  }

  @Test
  void readsLlama3Scaling() throws IOException {
    String scaling =
        """
        {"rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
         "original_max_position_embeddings": 8192}\
        """;
    assertThat(read(MINIMAL + ", \"rope_scaling\": " + scaling + "}").ropeScaling())
        .isEqualTo(new RopeScaling.Llama3(32, 1, 4, 8192));
  }

  @Test
  void readsTheOlderSpellingOfLinearScaling() throws IOException {
    assertThat(read(rope("{\"type\": \"linear\", \"factor\": 4}")).ropeScaling())
        .isEqualTo(new RopeScaling.Linear(4));
  }

  @Test
  void readsRopeParameters() throws IOException {
    LlamaConfig config =
        read(
            MINIMAL
                + """
                , "rope_theta": 1, "rope_parameters": {"rope_type": "default", "rope_theta": 5e5}}\
                """);
    assertThat(config.ropeTheta()).isEqualTo(500_000);
    assertThat(config.ropeScaling()).isEqualTo(new RopeScaling.None());
  }

  @Test
  void refusesWhatIsNotALlama() {
    assertInvalid(() -> read("{\"model_type\": \"qwen2\"}"), "config.json", "\"qwen2\"");
    assertInvalid(() -> read(MINIMAL + ", \"hidden_act\": \"gelu\"}"), "\"gelu\"");
    assertInvalid(() -> read(MINIMAL + ", \"attention_bias\": true}"), "attention_bias");
    assertInvalid(() -> read(MINIMAL + ", \"mlp_bias\": true}"), "mlp_bias");
    assertInvalid(() -> read(MINIMAL + ", \"quantization_config\": {}}"), "quantization_config");
    assertInvalid(() -> read(rope("{\"rope_type\": \"yarn\"}")), "\"yarn\"");
    assertInvalid(() -> read(rope("{\"partial_rotary_factor\": 0.5}")), "0.5");
  }

  @Test
  void missingFieldIsNamed() {
    assertCorrupt(() -> read("{}"), "model_type is missing");
    assertCorrupt(() -> read("{\"model_type\": \"llama\"}"), "hidden_size is missing");
    assertCorrupt(() -> read(rope("{\"type\": \"linear\"}")), "rope_scaling.factor is missing");
  }

  @Test
  void fieldOfTheWrongTypeIsNamed() {
    assertCorrupt(() -> read(MINIMAL + ", \"head_dim\": \"x\"}"), "head_dim is \"x\"", "integer");
    assertCorrupt(() -> read(MINIMAL + ", \"head_dim\": 8.5}"), "head_dim is 8.5");
    assertCorrupt(() -> read(MINIMAL + ", \"head_dim\": 99999999999}"), "head_dim is 99999999999");
    assertCorrupt(() -> read(rope("[]")), "rope_scaling is ARRAY", "object");
    assertCorrupt(() -> read(MINIMAL + ", \"mlp_bias\": 1}"), "mlp_bias is 1");
    assertCorrupt(() -> read(MINIMAL + ", \"rope_theta\": [1]}"), "rope_theta is ARRAY");
  }

  @Test
  void impossibleNumbersAreCorrupt() {
    assertCorrupt(() -> read(MINIMAL + ", \"num_key_value_heads\": 3}"), "KV heads 3");
    assertCorrupt(() -> read(MINIMAL + ", \"head_dim\": 0}"), "head size 0");
    assertCorrupt(() -> read(MINIMAL + ", \"head_dim\": -8}"), "head size -8");
    assertCorrupt(() -> read(MINIMAL + ", \"rope_theta\": 1e999}"), "theta");
    assertCorrupt(() -> read(rope("{\"type\": \"linear\", \"factor\": 0}")), "factor 0.0");
  }

  @Test
  void jsonBombsAreCorrupt() {
    assertCorrupt(() -> read("{\"a\":".repeat(100_000)), "nesting depth");
    assertCorrupt(() -> read("{\"a\":" + "9".repeat(100_000) + "}"), "Number");
    assertCorrupt(() -> read("{\"a\":[" + "[],".repeat(1_500_000) + "0]}"), "Token count");
    assertCorrupt(() -> read("{\"a\":\"" + "x".repeat(17 << 20) + "\"}"), "16777216 bytes");
    assertCorrupt(() -> read("{} {}"), "not JSON");
    assertCorrupt(() -> read(""), "object");
  }

  private static String rope(String scaling) {
    return MINIMAL + ", \"rope_scaling\": " + scaling + "}";
  }

  private LlamaConfig read(String json) throws IOException {
    return HuggingFaceConfig.read(
        Files.writeString(directory.resolve(HuggingFaceConfig.FILE_NAME), json));
  }
}
