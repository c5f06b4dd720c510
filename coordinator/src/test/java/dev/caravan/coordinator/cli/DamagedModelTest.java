package dev.caravan.coordinator.cli;

import dev.caravan.model.checkpoint.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Every damaged model ends the command with one line that says what is wrong, and where. */
@Timeout(30)
class DamagedModelTest {
  private static final String UP = "blk.1.ffn_up.weight";

  @TempDir Path directory;
  private Path bad;
  private DamagedGguf gguf;

  @BeforeEach
  void writeGoodModel() throws IOException {
    gguf = new DamagedGguf(SmallModels.plain(directory.resolve("good.gguf"), DType.F32));
    bad = directory.resolve("bad.gguf");
  }

  @Test
  void truncatedInItsHeader() throws IOException {
    generate(gguf.writeTruncated(bad, 500)).assertRefused("bad.gguf", "remaining 484 bytes");
  }

  @Test
  void truncatedInItsWeights() throws IOException {
    generate(gguf.writeTruncated(bad, gguf.size() - 1000)).assertRefused("bad.gguf");
  }

  @Test
  void emptyFile() throws IOException {
    generate(gguf.writeTruncated(bad, 0)).assertRefused("bad.gguf");
  }

  @Test
  void wrongMagic() throws IOException {
    generate(gguf.magic("GGML").write(bad)).assertRefused("bad.gguf", "GGUF");
  }

  @Test
  void tensorOutsideTheFile() throws IOException {
    generate(gguf.tensorOffset(UP, 1L << 40).write(bad)).assertRefused("bad.gguf", UP);
  }

  @Test
  void offsetThatOverflows() throws IOException {
    generate(gguf.tensorOffset(UP, Long.MAX_VALUE - 31).write(bad)).assertRefused("bad.gguf", UP);
  }

  @Test
  void absurdDimension() throws IOException {
    generate(gguf.firstDimension(UP, 1L << 62).write(bad)).assertRefused("bad.gguf", UP);
  }

  @Test
  void absurdTensorCount() throws IOException {
    generate(gguf.tensorCount(1L << 60).write(bad)).assertRefused("bad.gguf");
  }

  @Test
  void missingTensor() throws IOException {
    Path file = gguf.replace(UP, UP, "blk.1.ffn_zz.weight").write(bad);
    generate(file).assertRefused("bad.gguf", UP);
  }

  @Test
  void unknownArchitecture() throws IOException {
    Path file = gguf.replace("general.architecture", "llama", "mamba").write(bad);
    generate(file).assertRefused("bad.gguf", "mamba", "llama");
  }

  @Test
  void unknownQuantisation() throws IOException {
    generate(gguf.tensorType(UP, 99).write(bad)).assertRefused("bad.gguf", UP, "99");
  }

  @Test
  void quantisationThatIsKnownButNotSupported() throws IOException {
    // 20 is IQ4_NL in the ggml project.
    generate(gguf.tensorType(UP, 20).write(bad)).assertRefused("bad.gguf", UP);
  }

  @Test
  void indexThatNamesAMissingFile() throws IOException {
    Files.writeString(
        directory.resolve("config.json"),
        """
        {"model_type": "llama", "hidden_act": "silu", "hidden_size": 32, "intermediate_size": 64,
         "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
         "vocab_size": 48, "max_position_embeddings": 128, "rms_norm_eps": 1e-05}
        """);
    Files.writeString(
        directory.resolve("model.safetensors.index.json"),
        """
        {"weight_map": {"model.embed_tokens.weight": "model-00001-of-00002.safetensors"}}
        """);
    generate(directory).assertRefused("model-00001-of-00002.safetensors");
  }

  @Test
  void directoryWithoutAModel() throws IOException {
    Path empty = Files.createDirectory(directory.resolve("empty"));
    generate(empty).assertRefused("empty", "config.json");
  }

  @Test
  void pathThatIsNotThere() {
    generate(directory.resolve("nothing.gguf")).assertRefused("nothing.gguf");
  }

  @Test
  void inspectSaysItToo() throws IOException {
    CommandRun.of("inspect", gguf.tensorType(UP, 99).write(bad))
        .assertRefused("bad.gguf", UP, "99");
  }

  @Test
  void planSaysItToo() throws IOException {
    CommandRun.of("plan", "--model", gguf.magic("abcd").write(bad)).assertRefused("bad.gguf");
  }

  @Test
  void tokenizeSaysItToo() throws IOException {
    CommandRun.of("tokenize", "--model", gguf.magic("abcd").write(bad), "--text", "a")
        .assertRefused("bad.gguf");
  }

  private static CommandRun generate(Path model) {
    return CommandRun.of("generate", "--model", model, "--ids", "1");
  }
}
