package dev.caravan.model.checkpoint;

import static dev.caravan.model.checkpoint.Failures.assertCorrupt;
import static dev.caravan.model.checkpoint.Failures.assertInvalid;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsCheckpointTest {
  private static final WeightName QUERY = WeightName.of(WeightName.Kind.QUERY, 0);

  @TempDir Path directory;

  @Test
  void readsADirectory() throws IOException {
    SafetensorsFixture.writeModel(directory);
    try (Checkpoint checkpoint = Checkpoints.open(directory)) {
      assertThat(checkpoint.config()).isEqualTo(GgufCheckpointTest.CONFIG);
      assertThat(checkpoint.format()).isEqualTo("Hugging Face safetensors");
      assertThat(checkpoint.qkRowOrder()).isEqualTo(QkRowOrder.HALF_SPLIT);
      assertThat(checkpoint.vocabulary()).isEmpty();
      for (WeightName name : TinyLlama.weights(checkpoint.config())) {
        assertThat(checkpoint.weight(name).dtype()).isEqualTo(DType.F32);
      }
    }
  }

  @Test
  void mapsTheBytesOfEachTensor() throws IOException {
    config();
    weights("{\"a\":" + entry("F32", "[1]", 4, 8) + ",\"b\":" + entry("BF16", "[2]", 0, 4) + "}");
    try (Checkpoint checkpoint = Checkpoints.open(directory)) {
      assertThat(checkpoint.tensors()).extracting(TensorEntry::name).containsExactly("b", "a");
      assertThat(checkpoint.tensors().get(1).data().toArray(ValueLayout.JAVA_BYTE))
          .containsExactly(4, 5, 6, 7);
    }
  }

  @Test
  void aFileOfTheDirectoryOpensTheDirectory() throws IOException {
    SafetensorsFixture.writeModel(directory);
    for (String name : new String[] {"config.json", "model.safetensors"}) {
      try (Checkpoint checkpoint = Checkpoints.open(directory.resolve(name))) {
        assertThat(checkpoint.tensors()).hasSize(21);
      }
    }
  }

  @Test
  void readsShardsThatAnIndexLists() throws IOException {
    config();
    SafetensorsFixture.writeWeights(directory.resolve("one.safetensors"), n -> n.contains("mlp"));
    SafetensorsFixture.writeWeights(directory.resolve("two.safetensors"), n -> !n.contains("mlp"));
    index(
        "{\"model.layers.0.self_attn.q_proj.weight\":\"two.safetensors\","
            + "\"model.layers.0.mlp.up_proj.weight\":\"one.safetensors\"}");
    try (Checkpoint checkpoint = Checkpoints.open(directory)) {
      assertThat(checkpoint.tensors()).hasSize(21);
      assertThat(checkpoint.weight(QUERY).rows()).isEqualTo(32);
    }
  }

  @Test
  void tiedOutputIsTheEmbedding() throws IOException {
    Files.writeString(
        directory.resolve("config.json"),
        SafetensorsFixture.CONFIG.replace(
            "\"tie_word_embeddings\": false", "\"tie_word_embeddings\": true"));
    SafetensorsFixture.writeWeights(
        directory.resolve("model.safetensors"), n -> !n.startsWith("lm_head"));
    try (Checkpoint checkpoint = Checkpoints.open(directory)) {
      assertThat(checkpoint.weight(WeightName.of(WeightName.Kind.OUTPUT)).name())
          .isEqualTo("model.embed_tokens.weight");
    }
  }

  @Test
  void missingWeightIsNamedAsTheFileWouldSpellIt() throws IOException {
    config();
    weights("{}");
    try (Checkpoint checkpoint = Checkpoints.open(directory)) {
      assertCorrupt(
          () -> checkpoint.weight(QUERY), "model.layers.0.self_attn.q_proj.weight is missing");
    }
  }

  @Test
  void directoryWithoutWeightsIsRefused() throws IOException {
    config();
    assertInvalid(() -> Checkpoints.open(directory), "neither model.safetensors nor");
  }

  @Test
  void headerLengthBeyondTheFile() throws IOException {
    for (long length : new long[] {100, 1L << 40, Long.MAX_VALUE, -1}) {
      byte[] bytes = SafetensorsFixture.file("{}", new byte[8]);
      ByteBuffer.wrap(bytes).putLong(0, Long.reverseBytes(length));
      config();
      Files.write(directory.resolve("model.safetensors"), bytes);
      assertCorrupt(
          () -> Checkpoints.open(directory), "header of " + Long.toUnsignedString(length));
    }
  }

  @Test
  void fileOfAFewBytes() throws IOException {
    config();
    Files.write(directory.resolve("model.safetensors"), new byte[3]);
    assertCorrupt(() -> Checkpoints.open(directory), "3 bytes");
  }

  @Test
  void headerThatIsNotJson() throws IOException {
    assertBroken("{\"a\":", "header", "not JSON", "character 5 of 5");
  }

  @Test
  void headerThatIsNotAnObject() throws IOException {
    assertBroken("[]", "JSON object is needed");
  }

  @Test
  void headerThatIsNestedTooDeeply() throws IOException {
    assertBroken("{\"a\":" + "[".repeat(100_000), "not JSON", "nesting depth");
  }

  @Test
  void headerThatIsNotUtf8() throws IOException {
    config();
    byte[] bytes = SafetensorsFixture.file("{\"aa\":{}}", new byte[8]);
    bytes[10] = (byte) 0xC3;
    Files.write(directory.resolve("model.safetensors"), bytes);
    assertCorrupt(() -> Checkpoints.open(directory), "not UTF-8");
  }

  @Test
  void tensorThatAppearsTwice() throws IOException {
    String entry = entry("F32", "[1]", 0, 4);
    assertBroken("{\"a\":" + entry + ",\"a\":" + entry + "}", "Duplicate", "'a'");
  }

  @Test
  void offsetsOutsideTheFile() throws IOException {
    assertBroken("{\"a\":" + entry("F32", "[4]", 0, 16) + "}", "tensor a", "[0, 16]", "8 bytes");
    assertBroken(
        "{\"a\":" + entry("F32", "[1]", 1L << 62, (1L << 62) + 4) + "}", "tensor a", "8 bytes");
  }

  @Test
  void offsetsBackwards() throws IOException {
    assertBroken("{\"a\":" + entry("F32", "[1]", 4, 0) + "}", "tensor a", "[4, 0]");
  }

  @Test
  void negativeOffset() throws IOException {
    assertBroken("{\"a\":" + entry("F32", "[1]", -4, 0) + "}", "a.data_offsets[0] is -4");
  }

  @Test
  void tensorsThatOverlap() throws IOException {
    assertBroken(
        "{\"a\":" + entry("F32", "[2]", 0, 8) + ",\"b\":" + entry("F32", "[1]", 4, 8) + "}",
        "tensor b",
        "[4, 8]",
        "end at 8");
  }

  @Test
  void shapeThatDoesNotFitItsBytes() throws IOException {
    assertBroken("{\"a\":" + entry("F32", "[3]", 0, 8) + "}", "tensor a", "F32 [3]", "8 bytes");
  }

  @Test
  void shapeWhoseProductOverflows() throws IOException {
    String shape = "[4294967296, 4294967296, 2]";
    assertBroken("{\"a\":" + entry("F32", shape, 0, 8) + "}", "tensor a", "4294967296");
  }

  @Test
  void unknownElementTypeIsRefused() throws IOException {
    config();
    weights("{\"a\":" + entry("F8_E4M3", "[8]", 0, 8) + "}");
    assertInvalid(() -> Checkpoints.open(directory), "tensor a", "F8_E4M3", "GGUF");
  }

  @Test
  void tensorWithoutAType() throws IOException {
    assertBroken("{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", "a.dtype is missing");
  }

  @Test
  void indexThatNamesAMissingFile() throws IOException {
    config();
    index("{\"a\":\"gone.safetensors\"}");
    assertCorrupt(() -> Checkpoints.open(directory), "gone.safetensors", "not there");
  }

  @Test
  void indexThatLeadsOutOfTheDirectory() throws IOException {
    Path outside = Files.createDirectory(directory.resolve("outside"));
    SafetensorsFixture.writeWeights(outside.resolve("m.safetensors"), n -> true);
    config();
    String absolute = outside.resolve("m.safetensors").toString();
    for (String name : new String[] {"outside/m.safetensors", "../m.safetensors", "..", absolute}) {
      index("{\"a\":\"" + name + "\"}");
      assertCorrupt(() -> Checkpoints.open(directory), name, "not a plain file name");
    }
    index("{\"a\":\"m\\u0000.safetensors\"}");
    assertCorrupt(() -> Checkpoints.open(directory), "not a plain file name");
  }

  @Test
  void indexThatNamesATensorInTheWrongFile() throws IOException {
    config();
    SafetensorsFixture.writeWeights(directory.resolve("one.safetensors"), n -> n.contains("mlp"));
    index("{\"nothing\":\"one.safetensors\"}");
    assertCorrupt(() -> Checkpoints.open(directory), "weight_map.nothing", "in no file");
  }

  @Test
  void tensorInTwoShards() throws IOException {
    config();
    SafetensorsFixture.writeWeights(directory.resolve("one.safetensors"), n -> n.contains("norm"));
    SafetensorsFixture.writeWeights(directory.resolve("two.safetensors"), n -> n.contains("norm"));
    index(
        "{\"model.norm.weight\":\"one.safetensors\","
            + "\"model.layers.0.input_layernorm.weight\":\"two.safetensors\"}");
    assertCorrupt(
        () -> Checkpoints.open(directory), "two.safetensors", "is also in one.safetensors");
  }

  @Test
  void indexWithoutAMap() throws IOException {
    config();
    Files.writeString(directory.resolve("model.safetensors.index.json"), "{}");
    assertCorrupt(() -> Checkpoints.open(directory), "weight_map is missing");
  }

  private void assertBroken(String header, String... parts) throws IOException {
    config();
    weights(header);
    assertCorrupt(() -> Checkpoints.open(directory), parts);
  }

  private void config() throws IOException {
    Files.writeString(directory.resolve("config.json"), SafetensorsFixture.CONFIG);
  }

  private void weights(String header) throws IOException {
    Files.write(
        directory.resolve("model.safetensors"),
        SafetensorsFixture.file(header, new byte[] {0, 1, 2, 3, 4, 5, 6, 7}));
  }

  private void index(String weightMap) throws IOException {
    Files.writeString(
        directory.resolve("model.safetensors.index.json"), "{\"weight_map\":" + weightMap + "}");
  }

  private static String entry(String dtype, String shape, long begin, long end) {
    return "{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
        .formatted(dtype, shape, begin, end);
  }
}
