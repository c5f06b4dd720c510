package dev.caravan.model.checkpoint;

import static dev.caravan.model.checkpoint.Failures.assertCorrupt;
import static dev.caravan.model.checkpoint.Failures.assertInvalid;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointsTest {
  @TempDir Path directory;

  @Test
  void decidesByContentNotByName() throws IOException {
    Path misnamed = directory.resolve("model.safetensors");
    TinyLlama.write(misnamed, GgufCheckpointTest.CONFIG, name -> DType.F32, 1);
    try (Checkpoint checkpoint = Checkpoints.open(misnamed)) {
      assertThat(checkpoint).isInstanceOf(GgufCheckpoint.class);
    }
  }

  @Test
  void missingPathIsInvalid() {
    assertInvalid(() -> Checkpoints.open(directory.resolve("gone.gguf")), "gone.gguf", "no such");
  }

  @Test
  void directoryWithoutConfigIsInvalid() {
    assertInvalid(() -> Checkpoints.open(directory), directory.toString(), "no config.json");
  }

  @Test
  void foreignFileIsCorruptAndShowsItsFirstBytes() throws IOException {
    Path file = Files.write(directory.resolve("model.gguf"), new byte[] {0x50, 0x4B, 3, 4});
    assertCorrupt(() -> Checkpoints.open(file), "504b0304", "GGUF", "safetensors");
  }

  @Test
  void emptyFileIsCorrupt() throws IOException {
    Path file = Files.write(directory.resolve("model.gguf"), new byte[0]);
    assertCorrupt(() -> Checkpoints.open(file), "empty");
  }

  @Test
  void safetensorsWithoutConfigIsInvalid() throws IOException {
    Path file = directory.resolve("weights");
    Files.write(file, SafetensorsFixture.file("{}", new byte[0]));
    assertInvalid(() -> Checkpoints.open(file), "no config.json beside it");
  }
}
