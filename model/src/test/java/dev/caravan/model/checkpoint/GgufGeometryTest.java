package dev.caravan.model.checkpoint;

import static dev.caravan.model.checkpoint.Failures.assertCorrupt;
import static dev.caravan.model.checkpoint.Failures.assertInvalid;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models that are no Llama, or none that can be. */
class GgufGeometryTest {
  @TempDir Path directory;

  @Test
  void refusesAnotherArchitecture() throws IOException {
    refuses(Map.of("general.architecture", "gemma"), "\"gemma\"");
  }

  @Test
  void refusesAMixtureOfExperts() throws IOException {
    refuses(Map.of("llama.expert_count", 8), "8 experts");
  }

  @Test
  void refusesPartOfASplitModel() throws IOException {
    refuses(Map.of("split.count", 3), "split into 3 files", "--merge");
  }

  @Test
  void refusesUnknownRopeScaling() throws IOException {
    refuses(Map.of("llama.rope.scaling.type", "yarn"), "\"yarn\"");
  }

  @Test
  void refusesPartialRotation() throws IOException {
    refuses(Map.of("llama.rope.dimension_count", 4), "dimension_count is 4", "8 elements");
  }

  @Test
  void refusesKeysAndValuesOfDifferentSizes() throws IOException {
    refuses(Map.of("llama.attention.value_length", 16), "keys of 8 and values of 16");
  }

  @Test
  void refusesHeadCountsPerLayer() throws IOException {
    refuses(
        Map.of("llama.attention.head_count", List.of(4, 2)),
        "llama.attention.head_count",
        "2 x INT32");
  }

  @Test
  void refusesBiases() throws IOException {
    GgufCheckpointTest.writer()
        .tensor("blk.0.attn_q.bias", DType.F32, 1, 8, out -> out.write(new byte[32]))
        .write(file());
    assertInvalid(() -> Checkpoints.open(file()), "blk.0.attn_q.bias");
  }

  @Test
  void impossibleGeometryIsCorrupt() throws IOException {
    GgufCheckpointTest.writer(Map.of("llama.attention.head_count_kv", 3)).write(file());
    assertCorrupt(() -> Checkpoints.open(file()), "heads 4 is not a multiple of KV heads 3");
  }

  @Test
  void zeroHeadsAreCorrupt() throws IOException {
    GgufCheckpointTest.writer(Map.of("llama.attention.head_count", 0)).write(file());
    assertCorrupt(() -> Checkpoints.open(file()), "heads 0");
  }

  @Test
  void ropeFactorsOfAnotherHeadSizeAreCorrupt() throws IOException {
    GgufCheckpointTest.writer()
        .tensor("rope_freqs.weight", DType.F32, 1, 3, out -> out.write(new byte[12]))
        .write(file());
    assertCorrupt(() -> Checkpoints.open(file()), "rope_freqs.weight has 3 elements", "needs 4");
  }

  @Test
  void ropeFactorsOfZeroAreCorrupt() throws IOException {
    GgufCheckpointTest.writer()
        .tensor("rope_freqs.weight", DType.F32, 1, 4, out -> out.write(new byte[16]))
        .write(file());
    assertCorrupt(() -> Checkpoints.open(file()), "divisor 0.0 is not positive");
  }

  private void refuses(Map<String, Object> metadata, String... parts) throws IOException {
    GgufCheckpointTest.writer(metadata).write(file());
    assertInvalid(() -> Checkpoints.open(file()), parts);
  }

  private Path file() {
    return directory.resolve("model.gguf");
  }
}
