package dev.caravan.coordinator.cli;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Which model. */
public final class ModelOption {
  @Option(
      names = "--model",
      required = true,
      paramLabel = "PATH",
      description = "a GGUF file or a Hugging Face directory")
  Path model = Path.of("");

  public Path path() {
    return model;
  }
}
