package dev.caravan.bench.synth;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.coordinator.text.Prompts;
import dev.caravan.coordinator.text.StreamingDecoder;
import dev.caravan.coordinator.text.Tokenizers;
import dev.caravan.model.checkpoint.Checkpoints;
import dev.caravan.model.checkpoint.DType;
import dev.caravan.model.checkpoint.GgufCheckpoint;
import dev.caravan.model.checkpoint.TensorEntry;
import dev.caravan.model.config.RopeScaling;
import dev.caravan.model.vocabulary.Vocabulary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class SyntheticModelTest {
  private static final int VOCABULARY = 777;

  @TempDir Path directory;

  @ParameterizedTest
  @CsvSource({
    "llama-3.2-1b, 1235814400",
    "llama-3.2-3b, 3212749824",
    "llama-3.1-8b, 8030261248",
    "llama-3.1-70b, 70553706496",
    "llama-3.1-405b, 405853388800",
    "llama-2-7b, 6738415616",
    "llama-2-13b, 13015864320",
    "llama-2-70b, 68976648192"
  })
  void geometriesHaveAsManyParametersAsTheReleasedModels(String label, long parameters) {
    Geometry geometry = Geometry.parse(label);
    assertThat(new SyntheticModel(geometry, geometry.config(), DType.BF16, 1).parameters())
        .isEqualTo(parameters);
  }

  @ParameterizedTest
  @EnumSource(
      value = Geometry.class,
      names = {"LLAMA_3_2_1B", "LLAMA_2_7B"})
  void fileHoldsTheGeometryAndAVocabularyForEveryText(Geometry geometry) throws IOException {
    Path file = write(geometry, 1, 4);
    try (GgufCheckpoint checkpoint = (GgufCheckpoint) Checkpoints.open(file)) {
      assertThat(checkpoint.config())
          .usingRecursiveComparison()
          .ignoringFields("ropeScaling")
          .isEqualTo(geometry.config(1, VOCABULARY));
      assertThat(checkpoint.config().ropeScaling().frequencies(500_000, 64))
          .usingComparatorWithPrecision(1e-6)
          .containsExactly(geometry.config().ropeScaling().frequencies(500_000, 64));
      assertThat(checkpoint.config().ropeScaling() instanceof RopeScaling.Factors)
          .isEqualTo(geometry.isByteLevel());
      Vocabulary vocabulary = checkpoint.vocabulary().orElseThrow();
      assertThat(vocabulary.size()).isEqualTo(VOCABULARY);
      assertThat(vocabulary.bosId()).isPresent();
      assertThat(vocabulary.eosIds()).isNotEmpty();
      String text = "hello world, grüße 🐫\n";
      int[] ids = Prompts.encode(Tokenizers.of(vocabulary), text);
      assertThat(ids.length).isLessThan(text.length() + 20);
      assertThat(decode(vocabulary, ids)).isEqualTo(text);
    }
  }

  @Test
  void sameSeedSameBytesWithAnyNumberOfThreads() throws IOException {
    Path one = write(Geometry.LLAMA_3_2_1B, 1, 1);
    Path four = write(Geometry.LLAMA_3_2_1B, 1, 4);
    Path other = write(Geometry.LLAMA_3_2_1B, 2, 4);
    assertThat(Files.mismatch(one, four)).isEqualTo(-1);
    assertThat(Files.mismatch(one, other)).isPositive();
  }

  @Test
  void everyTensorIsReportedAsItIsWrittenAndNoTwoAreAlike() throws IOException {
    SyntheticModel model = model(Geometry.LLAMA_3_2_1B, 1);
    AtomicLong written = new AtomicLong();
    Path file = directory.resolve("progress.gguf");
    model.write(file, 2, written::addAndGet);
    try (GgufCheckpoint checkpoint = (GgufCheckpoint) Checkpoints.open(file)) {
      long matrices =
          checkpoint.tensors().stream()
              .filter(tensor -> tensor.rows() > 1)
              .mapToLong(tensor -> tensor.data().byteSize())
              .sum();
      assertThat(written).hasValue(matrices);
      TensorEntry k = tensor(checkpoint, "blk.0.attn_k.weight");
      TensorEntry v = tensor(checkpoint, "blk.0.attn_v.weight");
      assertThat(k.data().mismatch(v.data())).isBetween(0L, 64L);
    }
  }

  private Path write(Geometry geometry, long seed, int threads) throws IOException {
    Path file = directory.resolve("%s-%d-%d.gguf".formatted(geometry, seed, threads));
    model(geometry, seed).write(file, threads, bytes -> {});
    return file;
  }

  private static SyntheticModel model(Geometry geometry, long seed) {
    return new SyntheticModel(geometry, geometry.config(1, VOCABULARY), DType.Q4_0, seed);
  }

  private static TensorEntry tensor(GgufCheckpoint checkpoint, String name) {
    return checkpoint.tensors().stream()
        .filter(tensor -> tensor.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  private static String decode(Vocabulary vocabulary, int[] ids) {
    StreamingDecoder decoder = StreamingDecoder.of(Tokenizers.of(vocabulary));
    StringBuilder text = new StringBuilder();
    for (int i = 1; i < ids.length; i++) {
      text.append(decoder.accept(ids[i]));
    }
    return text.append(decoder.flush()).toString();
  }
}
