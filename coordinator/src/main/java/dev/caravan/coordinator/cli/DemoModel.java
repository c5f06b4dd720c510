package dev.caravan.coordinator.cli;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** The embedded model: written to a temporary file, so that workers can map it. */
final class DemoModel implements AutoCloseable {
  private static final String RESOURCE = "/dev/caravan/coordinator/demo/caravan-demo.gguf";

  private final Path file;

  private DemoModel(Path file) {
    this.file = file;
  }

  /**
   * Writes the model.
   *
   * @throws ClusterException INTERNAL if it cannot be written
   */
  static DemoModel write() {
    try (InputStream resource = DemoModel.class.getResourceAsStream(RESOURCE)) {
      if (resource == null) {
        throw new ClusterException(
            ErrorCode.INTERNAL, "the demo model %s is not in this build".formatted(RESOURCE));
      }
      Path file = Files.createTempFile("caravan-demo-", ".gguf");
      Files.copy(resource, file, StandardCopyOption.REPLACE_EXISTING);
      return new DemoModel(file);
    } catch (IOException e) {
      throw new ClusterException(
          ErrorCode.INTERNAL, "cannot write the demo model to a temporary file: " + e, e);
    }
  }

  Path file() {
    return file;
  }

  @Override
  public void close() {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      file.toFile().deleteOnExit();
    }
  }
}
