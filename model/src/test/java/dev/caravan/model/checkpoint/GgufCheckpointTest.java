package dev.caravan.model.checkpoint;

import static dev.caravan.model.checkpoint.Failures.assertCorrupt;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.config.RopeScaling;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufCheckpointTest {
  static final LlamaConfig CONFIG =
      new LlamaConfig(32, 64, 2, 4, 2, 8, 48, 128, 1e-5f, 500_000, new RopeScaling.None(), false);

  @TempDir Path directory;

  @Test
  void readsTheGeometryThatWasWritten() throws IOException {
    LlamaConfig config =
        new LlamaConfig(
            64, 96, 3, 6, 2, 16, 50, 256, 1e-6f, 10_000, new RopeScaling.Linear(4), true);
    TinyLlama.write(file(), config, name -> DType.F16, 1);
    try (Checkpoint checkpoint = Checkpoints.open(file())) {
      assertThat(checkpoint.config()).isEqualTo(config);
      assertThat(checkpoint.format()).isEqualTo("GGUF v3");
      assertThat(checkpoint.path()).isEqualTo(file());
      assertThat(checkpoint.qkRowOrder()).isEqualTo(QkRowOrder.INTERLEAVED);
      assertThat(checkpoint.vocabulary()).isEmpty();
    }
  }

  @Test
  void readsEveryWeightInItsType() throws IOException {
    LlamaConfig config =
        new LlamaConfig(
            256, 512, 1, 4, 2, 64, 48, 128, 1e-5f, 500_000, new RopeScaling.None(), false);
    for (DType dtype : DType.values()) {
      TinyLlama.write(file(), config, name -> dtype, 1);
      try (Checkpoint checkpoint = Checkpoints.open(file())) {
        for (WeightName name : TinyLlama.weights(config)) {
          TensorEntry tensor = checkpoint.weight(name);
          WeightShape shape = WeightShape.of(name.kind(), config);
          assertThat(tensor.rows()).isEqualTo(shape.rows());
          assertThat(tensor.columns()).isEqualTo(shape.columns());
          assertThat(tensor.dtype()).isEqualTo(shape.rows() == 1 ? DType.F32 : dtype);
          assertThat(tensor.data().isReadOnly()).isTrue();
        }
      }
    }
  }

  @Test
  void mapsTheBytesThatWereWritten() throws IOException {
    byte[] query = new byte[32 * 32 * 4];
    new Random(5).nextBytes(query);
    writer()
        .tensor("blk.0.attn_q.weight", DType.F32, 32, 32, out -> out.write(query))
        .write(file());
    try (Checkpoint checkpoint = Checkpoints.open(file())) {
      TensorEntry tensor = checkpoint.weight(WeightName.of(WeightName.Kind.QUERY, 0));
      assertThat(tensor.data().toArray(ValueLayout.JAVA_BYTE)).isEqualTo(query);
    }
  }

  @Test
  void interleavedRowsOfAHeadBecomeHalfSplit() {
    int[] sources = new int[8];
    for (int row = 0; row < 8; row++) {
      sources[row] = QkRowOrder.INTERLEAVED.sourceRow(row, 8);
      assertThat(QkRowOrder.HALF_SPLIT.sourceRow(row, 8)).isEqualTo(row);
    }
    assertThat(sources).containsExactly(0, 2, 4, 6, 1, 3, 5, 7);
  }

  @Test
  void ropeFactorsKeepTheFrequenciesOfLlama3() throws IOException {
    RopeScaling llama3 = new RopeScaling.Llama3(8, 1, 4, 32);
    LlamaConfig config =
        new LlamaConfig(32, 64, 1, 1, 1, 32, 48, 128, 1e-5f, 10_000, llama3, false);
    TinyLlama.write(file(), config, name -> DType.F32, 1);
    try (Checkpoint checkpoint = Checkpoints.open(file())) {
      RopeScaling read = checkpoint.config().ropeScaling();
      assertThat(read).isInstanceOf(RopeScaling.Factors.class);
      assertThat(read.frequencies(10_000, 32))
          .containsExactly(llama3.frequencies(10_000, 32), Offset.offset(1e-6));
    }
  }

  @Test
  void derivesWhatOptionalKeysLeaveOut() throws IOException {
    new GgufWriter()
        .metadata("general.architecture", "llama")
        .metadata("llama.context_length", 99)
        .metadata("llama.embedding_length", 32)
        .metadata("llama.block_count", 1)
        .metadata("llama.feed_forward_length", 64)
        .metadata("llama.attention.head_count", 4)
        .metadata("llama.attention.layer_norm_rms_epsilon", 1e-5f)
        .tensor("token_embd.weight", DType.F32, 7, 32, out -> out.write(new byte[7 * 32 * 4]))
        .write(file());
    try (Checkpoint checkpoint = Checkpoints.open(file())) {
      assertThat(checkpoint.config())
          .isEqualTo(
              new LlamaConfig(
                  32, 64, 1, 4, 4, 8, 7, 99, 1e-5f, 10_000, new RopeScaling.None(), true));
      assertThat(checkpoint.weight(WeightName.of(WeightName.Kind.OUTPUT)).name())
          .isEqualTo("token_embd.weight");
    }
  }

  @Test
  void honoursTheAlignmentOfTheFile() throws IOException {
    byte[] ones = {1, 1, 1, 1, 1, 1, 1, 1};
    writer()
        .metadata("general.alignment", 256)
        .tensor("first", DType.F32, 1, 2, out -> out.write(new byte[8]))
        .tensor("second", DType.F32, 1, 2, out -> out.write(ones))
        .write(file());
    try (Checkpoint checkpoint = Checkpoints.open(file())) {
      TensorEntry second = checkpoint.tensors().get(1);
      assertThat(second.data().toArray(ValueLayout.JAVA_BYTE)).isEqualTo(ones);
      assertThat(second.data().address() % 256).isZero();
    }
  }

  @Test
  void missingWeightIsNamedAsTheFileWouldSpellIt() throws IOException {
    writer().write(file());
    try (Checkpoint checkpoint = Checkpoints.open(file())) {
      assertCorrupt(
          () -> checkpoint.weight(WeightName.of(WeightName.Kind.FFN_DOWN, 1)),
          file().toString(),
          "blk.1.ffn_down.weight is missing");
    }
  }

  @Test
  void wrongShapeIsReportedWithBothShapes() throws IOException {
    writer()
        .tensor("blk.0.attn_k.weight", DType.F32, 8, 32, out -> out.write(new byte[1024]))
        .write(file());
    try (Checkpoint checkpoint = Checkpoints.open(file())) {
      assertCorrupt(
          () -> checkpoint.weight(WeightName.of(WeightName.Kind.KEY, 0)), "[8, 32]", "[16, 32]");
    }
  }

  @Test
  void layerBeyondTheModelIsAProgrammersError() throws IOException {
    writer().write(file());
    try (Checkpoint checkpoint = Checkpoints.open(file())) {
      assertThatThrownBy(() -> checkpoint.weight(WeightName.of(WeightName.Kind.KEY, 2)))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void fingerprintDependsOnTheWeights() throws IOException {
    assertThat(fingerprint(CONFIG, 1)).isEqualTo(fingerprint(CONFIG, 1)).hasSize(64);
    assertThat(fingerprint(CONFIG, 1)).isNotEqualTo(fingerprint(CONFIG, 2));
  }

  @Test
  void fingerprintDependsOnTheGeometry() throws IOException {
    LlamaConfig other =
        new LlamaConfig(32, 64, 2, 4, 2, 8, 48, 129, 1e-5f, 500_000, new RopeScaling.None(), false);
    assertThat(fingerprint(other, 1)).isNotEqualTo(fingerprint(CONFIG, 1));
  }

  @Test
  void fingerprintSamplesTheMiddleAndTheEndOfALargeTensor() throws IOException {
    assertThat(fingerprintWithByte(-1))
        .isNotIn(fingerprintWithByte(0), fingerprintWithByte(20_000), fingerprintWithByte(39_999));
  }

  @Test
  void closesTwice() throws IOException {
    writer().write(file());
    Checkpoint checkpoint = Checkpoints.open(file());
    checkpoint.close();
    checkpoint.close();
    assertThat(checkpoint.config()).isNotNull();
  }

  @Test
  void keepsAllMetadata() throws IOException {
    writer().metadata("general.name", "tiny").metadata("a.list", List.of(1, 2)).write(file());
    try (GgufCheckpoint checkpoint = GgufCheckpoint.open(file())) {
      assertThat(checkpoint.metadata()).containsEntry("general.name", "tiny");
      assertThat(checkpoint.metadata().get("a.list")).hasToString("2 x INT32");
    }
  }

  private String fingerprint(LlamaConfig config, long seed) throws IOException {
    TinyLlama.write(file(), config, name -> DType.F32, seed);
    try (Checkpoint checkpoint = Checkpoints.open(file())) {
      return checkpoint.fingerprint();
    }
  }

  private String fingerprintWithByte(int changed) throws IOException {
    byte[] data = new byte[40_000];
    if (changed >= 0) {
      data[changed] = 1;
    }
    writer().tensor("x", DType.F32, 100, 100, out -> out.write(data)).write(file());
    try (Checkpoint checkpoint = Checkpoints.open(file())) {
      return checkpoint.fingerprint();
    }
  }

  private Path file() {
    return directory.resolve("model.bin");
  }

  /** A writer with all metadata of {@link #CONFIG} and no tensors. */
  static GgufWriter writer() {
    return writer(Map.of());
  }

  static GgufWriter writer(Map<String, Object> changed) {
    Map<String, Object> metadata = new LinkedHashMap<>();
    metadata.put("general.architecture", "llama");
    metadata.put("llama.vocab_size", 48);
    metadata.put("llama.context_length", 128);
    metadata.put("llama.embedding_length", 32);
    metadata.put("llama.block_count", 2);
    metadata.put("llama.feed_forward_length", 64);
    metadata.put("llama.attention.head_count", 4);
    metadata.put("llama.attention.head_count_kv", 2);
    metadata.put("llama.attention.layer_norm_rms_epsilon", 1e-5f);
    metadata.put("llama.rope.freq_base", 500_000f);
    metadata.putAll(changed);
    GgufWriter writer = new GgufWriter();
    metadata.forEach(writer::metadata);
    return writer;
  }
}
