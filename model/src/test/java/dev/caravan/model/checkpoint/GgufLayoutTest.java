package dev.caravan.model.checkpoint;

import static dev.caravan.model.checkpoint.Failures.assertCorrupt;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** GGUF files with sound headers whose tensors cannot be where they are said to be. */
class GgufLayoutTest {
  private static final int F32 = 0;

  @TempDir Path directory;

  @Test
  void truncatedDataIsReportedWithTheTensor() throws IOException {
    byte[] whole = GgufBytes.header(1, 0).tensor("t", F32, 0, 8).data(32).toBytes();
    assertCorrupt(() -> open(Arrays.copyOf(whole, whole.length - 1)), "tensor t", "32 bytes", "31");
  }

  @Test
  void offsetOutsideTheFile() {
    for (long offset : new long[] {64, 1L << 40, Long.MAX_VALUE - 31, -32, Long.MIN_VALUE}) {
      byte[] bytes = GgufBytes.header(1, 0).tensor("t", F32, offset, 8).data(64).toBytes();
      assertCorrupt(
          () -> open(bytes), "tensor t", Long.toUnsignedString(offset), "section of 64 bytes");
    }
  }

  @Test
  void offsetThatIsNotAligned() {
    byte[] bytes = GgufBytes.header(1, 0).tensor("t", F32, 4, 8).data(64).toBytes();
    assertCorrupt(() -> open(bytes), "tensor t", "offset 4", "alignment 32");
  }

  @Test
  void tensorsThatOverlap() {
    byte[] bytes =
        GgufBytes.header(2, 0).tensor("a", F32, 0, 16).tensor("b", F32, 32, 8).data(128).toBytes();
    assertCorrupt(() -> open(bytes), "tensor b at offset 32", "ends at 64");
  }

  @Test
  void absurdAlignment() {
    for (int alignment : new int[] {0, 7, 48, 1 << 30}) {
      byte[] bytes =
          GgufBytes.header(0, 1)
              .key("general.alignment", GgufValueType.UINT32)
              .u32(alignment)
              .toBytes();
      assertCorrupt(() -> open(bytes), "general.alignment is " + alignment);
    }
  }

  @Test
  void valueOfTheWrongTypeIsReportedWithItsKey() {
    byte[] bytes =
        GgufBytes.header(0, 1).key("general.architecture", GgufValueType.UINT8).u8(1).toBytes();
    assertCorrupt(() -> open(bytes), "general.architecture is 1", "a string is needed");
  }

  @Test
  void missingKeyIsReported() {
    byte[] bytes =
        GgufBytes.header(0, 1)
            .key("general.architecture", GgufValueType.STRING)
            .string("llama")
            .toBytes();
    assertCorrupt(() -> open(bytes), "llama.embedding_length is missing");
  }

  private void open(byte[] bytes) throws IOException {
    Files.write(file(), bytes);
    Checkpoints.open(file()).close();
  }

  private Path file() {
    return directory.resolve("model.gguf");
  }
}
