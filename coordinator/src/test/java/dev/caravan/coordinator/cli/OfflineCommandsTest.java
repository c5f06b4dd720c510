package dev.caravan.coordinator.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.caravan.coordinator.text.ReferenceFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What other programs read from the commands that need no worker. */
@Timeout(60)
class OfflineCommandsTest {
  @TempDir static Path directory;
  private static Path model;

  @BeforeAll
  static void writeModel() throws IOException {
    model = SmallModels.withVocabulary(directory.resolve("model.gguf"));
  }

  @Test
  void tokenizeAnswersOneLineForEachText() throws IOException {
    Path texts = Files.writeString(directory.resolve("texts.json"), "[\"ab\", \"\", \"a<s>\"]");
    List<JsonNode> lines =
        CommandRun.json("tokenize", "--model", model, "--texts-file", texts, "--format", "json");
    assertThat(lines)
        .extracting(JsonNode::toString)
        .containsExactly(
            "{\"case\":0,\"ids\":[264]}",
            "{\"case\":1,\"ids\":[]}",
            "{\"case\":2,\"ids\":[262,1]}");
  }

  @Test
  void plainTextOfASpecialTokenIsText() throws IOException {
    assertThat(tokenize("--text", "a<s>", "--plain").get("ids").toString()).isNotEqualTo("[262,1]");
  }

  @Test
  void beginTokenComesOnlyWhenAskedFor() throws IOException {
    assertThat(tokenize("--text", "ab", "--bos").get("ids").toString()).isEqualTo("[1,264]");
    assertThat(tokenize("--text", "ab").get("ids").toString()).isEqualTo("[264]");
  }

  @Test
  void detokenizeAnswersTexts() throws IOException {
    Path ids = Files.writeString(directory.resolve("ids.json"), "[[264, 261], [264]]");
    List<JsonNode> lines =
        CommandRun.json("detokenize", "--model", model, "--ids-file", ids, "--format", "json");
    assertThat(lines)
        .extracting(JsonNode::toString)
        .containsExactly("{\"case\":0,\"text\":\"abb\"}", "{\"case\":1,\"text\":\"ab\"}");
  }

  @Test
  void inspectTellsGeometryTensorsAndVocabulary() throws IOException {
    JsonNode line = CommandRun.json("inspect", model, "--format", "json").getFirst();
    assertThat(keys(line))
        .containsExactly(
            "path", "format", "fingerprint", "geometry", "vocabulary", "bytes", "tensors");
    assertThat(line.get("geometry").get("kv_heads").intValue()).isEqualTo(4);
    assertThat(line.get("vocabulary").get("bos_id").intValue()).isEqualTo(SmallModels.BEGIN);
    assertThat(line.get("tensors")).hasSize(20);
    assertThat(keys(line.get("tensors").get(0)))
        .containsExactly("name", "type", "rows", "columns", "bytes");
  }

  @Test
  void planAnswersOneLineForEachShardThatTogetherCoverTheModel() throws IOException {
    List<JsonNode> shards =
        CommandRun.json(
            "plan", "--model", model, "--workers", 3, "--stages", 2, "--format", "json");
    assertThat(shards).hasSize(6);
    assertThat(keys(shards.getFirst()))
        .containsExactly(
            "stage",
            "rank",
            "layers",
            "kv_heads",
            "heads",
            "ffn_columns",
            "vocab_rows",
            "weight_bytes",
            "kv_elements_per_position");
    int columns = 0;
    for (JsonNode shard : shards) {
      if (shard.get("stage").intValue() == 1) {
        columns +=
            shard.get("ffn_columns").get(1).intValue() - shard.get("ffn_columns").get(0).intValue();
      }
    }
    assertThat(columns).isEqualTo(SmallModels.CONFIG.intermediateSize());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "tokenizers/tok512/tokenizer.model", "tokenizers/tok512/tokenizer.json",
        "models/stories260K/stories260K-f32.gguf", "models/stories260K/stories260K-hf-f32"
      })
  void everyKindOfTokenizerFileGivesTheReferenceIds(String path) throws IOException {
    Path reference = ReferenceFiles.directory(OfflineCommandsTest.class);
    JsonNode prompt =
        new ObjectMapper()
            .readTree(reference.resolve("models/stories260K/golden-f32.json").toFile())
            .get("prompts")
            .get(0);
    JsonNode line =
        CommandRun.json(
                "tokenize",
                "--model",
                reference.resolve(path),
                "--text",
                prompt.get("prompt").textValue(),
                "--bos",
                "--format",
                "json")
            .getFirst();
    assertThat(line.get("ids")).isEqualTo(prompt.get("prompt_ids"));
  }

  private static JsonNode tokenize(Object... arguments) throws IOException {
    List<Object> all = new ArrayList<>(List.of("tokenize", "--model", model, "--format", "json"));
    all.addAll(List.of(arguments));
    return CommandRun.json(all.toArray()).getFirst();
  }

  private static List<String> keys(JsonNode line) {
    List<String> names = new ArrayList<>();
    line.fieldNames().forEachRemaining(names::add);
    return names;
  }
}
