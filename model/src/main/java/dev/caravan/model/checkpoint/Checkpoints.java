package dev.caravan.model.checkpoint;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;

/** Opens checkpoints; what a file is follows from its bytes, never from its name. */
public final class Checkpoints {
  private static final int SNIFFED_BYTES = 16;

  private Checkpoints() {}

  /**
   * Opens a GGUF file, a Hugging Face directory, or the directory of a safetensors or JSON file.
   *
   * @throws dev.caravan.model.error.ClusterException as {@link Checkpoint} says
   */
  public static Checkpoint open(Path path) {
    if (Files.isDirectory(path)) {
      return SafetensorsCheckpoint.open(path);
    }
    if (!Files.exists(path)) {
      throw CheckpointErrors.unsupported(path, "there is no such file or directory");
    }
    if (!Files.isRegularFile(path)) {
      throw CheckpointErrors.unsupported(path, "neither a file nor a directory");
    }
    byte[] start = firstBytes(path);
    if (GgufHeaderParser.matches(start)) {
      return GgufCheckpoint.open(path);
    }
    if (SafetensorsFile.matches(start) || (start.length > 0 && start[0] == '{')) {
      Path directory = path.toAbsolutePath().getParent();
      if (directory != null && Files.exists(directory.resolve(HuggingFaceConfig.FILE_NAME))) {
        return SafetensorsCheckpoint.open(directory);
      }
      throw CheckpointErrors.unsupported(
          path, "there is no config.json beside it; give a whole Hugging Face directory");
    }
    throw CheckpointErrors.corrupt(
        path,
        ("begins with the bytes %s, which no supported format does; supported are GGUF files"
                + " (47475546) and Hugging Face directories with config.json and safetensors files")
            .formatted(
                start.length == 0 ? "(none: it is empty)" : HexFormat.of().formatHex(start)));
  }

  /** Returns whether the file begins as a GGUF file does. */
  public static boolean isGguf(Path file) {
    return Files.isRegularFile(file) && GgufHeaderParser.matches(firstBytes(file));
  }

  private static byte[] firstBytes(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      return in.readNBytes(SNIFFED_BYTES);
    } catch (IOException e) {
      throw CheckpointErrors.unreadable(file, e);
    }
  }
}
