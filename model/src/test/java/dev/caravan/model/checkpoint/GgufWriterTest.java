package dev.caravan.model.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufWriterTest {
  @TempDir Path directory;

  @Test
  void writesEveryKindOfMetadata() throws IOException {
    GgufCheckpointTest.writer()
        .metadata("negative", -3)
        .metadata("long", 1L << 40)
        .metadata("negative.long", -(1L << 40))
        .metadata("float", 0.25f)
        .metadata("double", 0.1)
        .metadata("flag", true)
        .metadata("text", "naïve")
        .metadata("ints", List.of(-1, 2))
        .metadata("floats", List.of(0.5f, -1f))
        .metadata("texts", List.of("a", ""))
        .metadata("nothing", List.of())
        .write(file());
    try (GgufCheckpoint checkpoint = GgufCheckpoint.open(file())) {
      assertThat(checkpoint.metadata())
          .containsEntry("negative", -3L)
          .containsEntry("long", 1L << 40)
          .containsEntry("negative.long", -(1L << 40))
          .containsEntry("float", 0.25)
          .containsEntry("double", 0.1)
          .containsEntry("flag", true)
          .containsEntry("text", "naïve");
      assertThat(array(checkpoint, "ints").ints()).containsExactly(-1, 2);
      assertThat(array(checkpoint, "floats").floats()).containsExactly(0.5f, -1f);
      assertThat(array(checkpoint, "texts").strings()).containsExactly("a", "");
      assertThat(array(checkpoint, "nothing").count()).isZero();
    }
  }

  @Test
  void refusesASourceThatWritesTooLittleAndLeavesNoFile() throws IOException {
    GgufWriter writer = new GgufWriter();
    writer.tensor("t", DType.F32, 1, 4, out -> out.write(new byte[15]));
    assertThatThrownBy(() -> writer.write(file()))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("tensor t: 15 bytes written, 16 expected");
    try (var files = Files.list(directory)) {
      assertThat(files).isEmpty();
    }
  }

  @Test
  void refusesASourceThatWritesTooMuch() {
    GgufWriter writer = new GgufWriter();
    writer.tensor("t", DType.F32, 1, 4, out -> out.write(new byte[17]));
    assertThatThrownBy(() -> writer.write(file()))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContainingAll("16 bytes", "17");
  }

  @Test
  void refusesATensorOfPartialBlocks() {
    assertThatThrownBy(() -> new GgufWriter().tensor("t", DType.Q4_K, 2, 128, out -> {}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("Q4_K [2, 128]");
  }

  @Test
  void refusesNamesThatAreTakenAndTypesThatGgufHasNot() {
    GgufWriter writer = new GgufWriter().metadata("k", 1);
    writer.tensor("t", DType.F32, 1, 1, out -> {});
    assertThatThrownBy(() -> writer.metadata("k", 2)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> writer.tensor("t", DType.F32, 1, 1, out -> {}))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> writer.metadata("object", new Object()))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> writer.metadata("mixed", List.of("a", 1)))
        .isInstanceOf(ClassCastException.class);
  }

  private static GgufArray array(GgufCheckpoint checkpoint, String key) {
    return new GgufMetadata(checkpoint.path(), checkpoint.metadata()).requiredArray(key);
  }

  private Path file() {
    return directory.resolve("written.gguf");
  }
}
