package dev.caravan.model.checkpoint;

import dev.caravan.model.config.LlamaConfig;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Predicate;

/** Writes small Hugging Face directories with random F32 weights. */
final class SafetensorsFixture {
  static final String CONFIG =
      """
      {"model_type": "llama", "hidden_act": "silu", "hidden_size": 32, "intermediate_size": 64,
       "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
       "vocab_size": 48, "max_position_embeddings": 128, "rms_norm_eps": 1e-05,
       "rope_theta": 500000.0, "rope_scaling": null, "tie_word_embeddings": false,
       "attention_bias": false}\
      """;

  private SafetensorsFixture() {}

  /** Writes a whole model of the geometry {@link #CONFIG} in one file. */
  static void writeModel(Path directory) throws IOException {
    Files.writeString(directory.resolve("config.json"), CONFIG);
    writeWeights(directory.resolve("model.safetensors"), name -> true);
  }

  /** Writes some of the weights of the geometry {@link #CONFIG}. */
  static void writeWeights(Path file, Predicate<String> chosen) throws IOException {
    LlamaConfig config = GgufCheckpointTest.CONFIG;
    List<String> fields = new ArrayList<>();
    long end = 0;
    for (WeightName name : TinyLlama.weights(config)) {
      String spelled = HuggingFaceNames.of(name);
      if (chosen.test(spelled)) {
        WeightShape shape = WeightShape.of(name.kind(), config);
        long bytes = 4L * shape.rows() * shape.columns();
        String dimensions = shape.rows() == 1 ? "[" + shape.columns() + "]" : shape.toString();
        fields.add(
            "\"%s\":{\"dtype\":\"F32\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
                .formatted(spelled, dimensions, end, end + bytes));
        end += bytes;
      }
    }
    byte[] data = new byte[Math.toIntExact(end)];
    new Random(7).nextBytes(data);
    Files.write(file, file("{" + String.join(",", fields) + "}", data));
  }

  /** Puts a header and data together. */
  static byte[] file(String header, byte[] data) {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(8 + json.length + data.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(json.length)
        .put(json)
        .put(data)
        .array();
  }
}
