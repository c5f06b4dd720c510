package dev.caravan.model.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.config.RopeScaling;
import dev.caravan.model.vocabulary.ReferenceFiles;
import dev.caravan.model.vocabulary.Vocabulary;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Opens every model among the reference files and compares it with what is known of it. */
@Tag("reference")
class ReferenceCheckpointsTest {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  @Test
  void everyModelOpensWithAllItsWeights() throws IOException {
    Path reference = ReferenceFiles.directory(getClass());
    List<Path> models = models(reference);
    assertThat(models).hasSizeGreaterThan(20);
    for (Path model : models) {
      try (Checkpoint checkpoint = Checkpoints.open(model)) {
        for (WeightName name : TinyLlama.weights(checkpoint.config())) {
          assertThat(checkpoint.weight(name)).as("%s %s", model, name).isNotNull();
        }
        assertThat(checkpoint.fingerprint()).hasSize(64);
      }
    }
  }

  @Test
  void geometryOfSyntheticModelsIsTheOneThatMadeThem() throws IOException {
    Path reference = ReferenceFiles.directory(getClass());
    JsonNode index = MAPPER.readTree(reference.resolve("INDEX.json").toFile());
    int compared = 0;
    for (JsonNode model : index.path("synthetic")) {
      Path directory = reference.resolve("synthetic").resolve(model.path("name").asText());
      JsonNode golden = MAPPER.readTree(directory.resolve("golden.json").toFile()).path("config");
      for (JsonNode file : model.path("files")) {
        try (Checkpoint checkpoint = Checkpoints.open(directory.resolve(file.asText()))) {
          assertGeometry(checkpoint, golden, model);
          compared++;
        }
      }
    }
    assertThat(compared).isGreaterThan(20);
  }

  @Test
  void formatsOfTheTrainedModelAgree() throws IOException {
    Path directory = ReferenceFiles.directory(getClass()).resolve("models/stories260K");
    try (Checkpoint gguf = Checkpoints.open(directory.resolve("stories260K-f32.gguf"));
        Checkpoint whole = Checkpoints.open(directory.resolve("stories260K-hf-f32"));
        Checkpoint sharded = Checkpoints.open(directory.resolve("stories260K-hf-bf16-sharded"));
        Checkpoint bf16 = Checkpoints.open(directory.resolve("stories260K-hf-bf16"))) {
      assertThat(gguf.config()).isEqualTo(whole.config()).isEqualTo(sharded.config());
      assertThat(sharded.fingerprint()).isEqualTo(bf16.fingerprint());
      assertThat(gguf.fingerprint()).isNotEqualTo(whole.fingerprint());
      assertSameRows(gguf, whole, WeightName.of(WeightName.Kind.QUERY, 3), true);
      assertSameRows(gguf, whole, WeightName.of(WeightName.Kind.KEY, 0), true);
      assertSameRows(gguf, whole, WeightName.of(WeightName.Kind.VALUE, 0), false);
      assertSameRows(gguf, whole, WeightName.of(WeightName.Kind.FFN_DOWN, 4), false);
    }
  }

  @Test
  void vocabulariesOfBothFormatsAgree() throws IOException {
    Path directory = ReferenceFiles.directory(getClass()).resolve("models/stories260K");
    try (Checkpoint gguf = Checkpoints.open(directory.resolve("stories260K-f32.gguf"));
        Checkpoint whole = Checkpoints.open(directory.resolve("stories260K-hf-f32"))) {
      Vocabulary one = gguf.vocabulary().orElseThrow();
      Vocabulary other = whole.vocabulary().orElseThrow();
      assertThat(one.size()).isEqualTo(512);
      assertThat(one.tokens())
          .extracting(Vocabulary.Token::text)
          .isEqualTo(other.tokens().stream().map(Vocabulary.Token::text).toList());
      assertThat(one.bosId()).isEqualTo(other.bosId()).hasValue(1);
      assertThat(one.eosIds()).isEqualTo(other.eosIds()).containsExactly(2);
    }
  }

  @Test
  void readsTheWholeVocabularyOfLlama3() throws IOException {
    Path file = ReferenceFiles.directory(getClass()).resolve("e2e/llama3-tiny-random-f16.gguf");
    try (Checkpoint checkpoint = Checkpoints.open(file)) {
      Vocabulary vocabulary = checkpoint.vocabulary().orElseThrow();
      assertThat(vocabulary.algorithm()).isEqualTo(Vocabulary.Algorithm.BYTE_LEVEL_BPE);
      assertThat(vocabulary.size()).isEqualTo(128_256);
      assertThat(vocabulary.merges()).hasSize(280_147);
      assertThat(vocabulary.bosId()).hasValue(128_000);
      assertThat(vocabulary.eosIds()).containsExactlyInAnyOrder(128_001, 128_008, 128_009);
      assertThat(vocabulary.chatTemplate()).isPresent();
    }
  }

  private static void assertGeometry(Checkpoint checkpoint, JsonNode golden, JsonNode indexed) {
    LlamaConfig config = checkpoint.config();
    String model = checkpoint.path().toString();
    assertThat(config.hiddenSize()).as(model).isEqualTo(golden.path("dim").intValue());
    assertThat(config.hiddenSize()).as(model).isEqualTo(indexed.path("dim").intValue());
    assertThat(config.intermediateSize()).as(model).isEqualTo(golden.path("hidden").intValue());
    assertThat(config.layers()).as(model).isEqualTo(golden.path("n_layers").intValue());
    assertThat(config.heads()).as(model).isEqualTo(golden.path("n_heads").intValue());
    assertThat(config.kvHeads()).as(model).isEqualTo(golden.path("n_kv").intValue());
    assertThat(config.headDim()).as(model).isEqualTo(golden.path("head_dim").intValue());
    assertThat(config.vocabSize()).as(model).isEqualTo(golden.path("vocab").intValue());
    assertThat(config.contextLength()).as(model).isEqualTo(golden.path("ctx").intValue());
    assertThat(config.rmsNormEps()).as(model).isEqualTo((float) golden.path("eps").doubleValue());
    assertThat(config.ropeTheta()).as(model).isEqualTo(golden.path("theta").doubleValue());
    assertThat(config.tiedEmbeddings()).as(model).isEqualTo(golden.path("tied").booleanValue());
    // A GGUF file holds Llama 3's scaling as 32-bit divisors, so only the frequencies compare.
    assertThat(config.ropeScaling().frequencies(config.ropeTheta(), config.headDim()))
        .as(model)
        .containsExactly(
            scaling(golden.path("rope_scaling")).frequencies(config.ropeTheta(), config.headDim()),
            Offset.offset(1e-6));
  }

  private static RopeScaling scaling(JsonNode golden) {
    if (!golden.isObject()) {
      return new RopeScaling.None();
    }
    assertThat(golden.path("rope_type").asText()).isEqualTo("llama3");
    return new RopeScaling.Llama3(
        golden.path("factor").doubleValue(),
        golden.path("low_freq_factor").doubleValue(),
        golden.path("high_freq_factor").doubleValue(),
        golden.path("original_max_position_embeddings").intValue());
  }

  private static void assertSameRows(
      Checkpoint gguf, Checkpoint huggingFace, WeightName name, boolean rotated) {
    TensorEntry one = gguf.weight(name);
    TensorEntry other = huggingFace.weight(name);
    int headDim = gguf.config().headDim();
    for (int row = 0; row < one.rows(); row++) {
      int inHead = row % headDim;
      int source = rotated ? row - inHead + gguf.qkRowOrder().sourceRow(inHead, headDim) : row;
      assertThat(
              one.data()
                  .asSlice(source * one.rowBytes(), one.rowBytes())
                  .mismatch(other.data().asSlice(row * other.rowBytes(), other.rowBytes())))
          .as("%s row %d", name, row)
          .isEqualTo(-1);
    }
  }

  /** The models that the index lists; others in the folders are not meant to be opened. */
  private static List<Path> models(Path reference) throws IOException {
    List<Path> models = new ArrayList<>();
    JsonNode index = MAPPER.readTree(reference.resolve("INDEX.json").toFile());
    for (JsonNode trained : index.path("trained")) {
      Path golden = reference.resolve(trained.path("golden").asText());
      for (JsonNode file : trained.path("files")) {
        if (!file.asText().endsWith(".bin")) {
          models.add(golden.resolveSibling(file.asText()));
        }
      }
    }
    for (JsonNode synthetic : index.path("synthetic")) {
      for (JsonNode file : synthetic.path("files")) {
        Path directory = reference.resolve("synthetic").resolve(synthetic.path("name").asText());
        models.add(directory.resolve(file.asText()));
      }
    }
    models.add(reference.resolve("e2e/llama3-tiny-random-f16.gguf"));
    return models;
  }
}
