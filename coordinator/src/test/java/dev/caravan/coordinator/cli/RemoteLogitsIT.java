package dev.caravan.coordinator.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.caravan.coordinator.text.ReferenceFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Golden logits of one model of each kind, computed by worker JVMs that exchange over gRPC. */
@Timeout(240)
class RemoteLogitsIT {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int MAX_PROMPT = 100;

  @TempDir Path directory;

  @ParameterizedTest
  @CsvSource({
    "models/stories260K/golden-bf16.json, stories260K-hf-bf16-sharded, 3, 1, f32, 1e-5",
    "models/stories260K/golden-q4_0.json, stories260K-ffn192-q4_0.gguf, 2, 2, int8, 0.08",
    "synthetic/s02-h64kv8-hd4-ffn224/golden.json, s02-h64kv8-hd4-ffn224-q8_0.gguf, 3, 1, int8, 0.08",
    "synthetic/s02-h64kv8-hd4-ffn224/golden.json, s02-h64kv8-hd4-ffn224-q8_0.gguf, 4, 1, f32, 1e-5",
    "synthetic/s13-kquants/golden.json, s13-kquants-q4_k_m.gguf, 1, 2, int8, 0.08",
    "synthetic/s09-deep7-h6kv2/golden.json, s09-deep7-h6kv2-f16.gguf, 2, 2, f32, 1e-5",
  })
  void logitsAreGolden(
      String goldenFile,
      String model,
      int workers,
      int stages,
      String activations,
      double tolerance)
      throws IOException {
    Path golden = ReferenceFiles.directory(RemoteLogitsIT.class).resolve(goldenFile);
    JsonNode root = JSON.readTree(golden.toFile());
    ArrayNode prompts = JSON.createArrayNode();
    ArrayNode expected = JSON.createArrayNode();
    cases(root, model, prompts, expected);
    Path ids = directory.resolve("ids.json");
    Files.writeString(ids, prompts.toString());
    List<JsonNode> lines =
        CommandRun.json(
            "logits",
            "--model",
            golden.resolveSibling(model),
            "--ids-file",
            ids,
            "--workers",
            workers,
            "--stages",
            stages,
            "--activations",
            activations,
            "--kv",
            "f32",
            "--prefill-chunk",
            16,
            "--check-ranks",
            "--threads",
            1,
            "--format",
            "json");
    assertThat(lines).hasSameSizeAs(prompts).hasSizeGreaterThan(3);
    for (int i = 0; i < lines.size(); i++) {
      assertThat(lines.get(i).get("case").intValue()).isEqualTo(i);
      assertThat(distance(lines.get(i).get("logits"), expected.get(i)))
          .as("%s case %d: relative L2 distance", model, i)
          .isLessThan(tolerance);
    }
  }

  /** Collects the prompts and the full logits after them that apply to a model's weights. */
  private static void cases(JsonNode root, String model, ArrayNode prompts, ArrayNode expected) {
    if (root.has("prompts")) {
      for (JsonNode prompt : root.get("prompts")) {
        prompts.add(prompt.get("prompt_ids"));
        expected.add(prompt.get("logits").get("full"));
      }
      return;
    }
    JsonNode quantised = root.get("quantised").get(model);
    for (int i = 0; i < root.get("cases").size(); i++) {
      JsonNode plain = root.get("cases").get(i);
      if (plain.get("prompt_ids").size() <= MAX_PROMPT) {
        prompts.add(plain.get("prompt_ids"));
        JsonNode applying = quantised == null ? plain : quantised.get("cases").get(i);
        expected.add(applying.get("logits_after_prompt").get("full"));
      }
    }
  }

  static double distance(JsonNode actual, JsonNode expected) {
    assertThat(actual).hasSameSizeAs(expected);
    double error = 0;
    double norm = 0;
    for (int i = 0; i < expected.size(); i++) {
      double difference = actual.get(i).doubleValue() - expected.get(i).doubleValue();
      error += difference * difference;
      norm += expected.get(i).doubleValue() * expected.get(i).doubleValue();
    }
    return Math.sqrt(error / norm);
  }
}
