package dev.caravan.model.checkpoint;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeSet;

/**
 * The list of a sharded model: which file holds which tensor.
 *
 * @param file the index itself
 * @param fileNames name of the file, beside the index, by name of the tensor
 */
record SafetensorsIndex(Path file, Map<String, String> fileNames) {
  static final String FILE_NAME = "model.safetensors.index.json";

  private static final int MAX_FILES = 4096;

  /**
   * Reads an index.
   *
   * @throws dev.caravan.model.error.ClusterException CHECKPOINT_CORRUPT if it is broken or names a
   *     file that is not there or not in its own directory
   */
  static SafetensorsIndex read(Path file) {
    JsonFields map = new JsonFields(file, JsonDocument.read(file), "").requiredObject("weight_map");
    Map<String, String> fileNames = new LinkedHashMap<>();
    map.object()
        .fieldNames()
        .forEachRemaining(tensor ->
            fileNames.put(
                tensor, map.optionalString(tensor).orElseThrow(() -> map.missing(tensor))));
    SafetensorsIndex index = new SafetensorsIndex(file, fileNames);
    index.checkFiles();
    return index;
  }

  /** The files, each once, by name. */
  TreeSet<String> distinctFiles() {
    return new TreeSet<>(fileNames.values());
  }

  /** Checks that every tensor is in the file in which the index says it is. */
  void check(Map<String, String> fileOfTensor) {
    fileNames.forEach((tensor, expected) -> {
      String actual = fileOfTensor.get(tensor);
      if (!expected.equals(actual)) {
        throw CheckpointErrors.corrupt(
            file,
            "weight_map.%s names %s, but the tensor is %s"
                .formatted(tensor, expected, actual == null ? "in no file" : "in " + actual));
      }
    });
  }

  private void checkFiles() {
    TreeSet<String> names = distinctFiles();
    if (names.isEmpty() || names.size() > MAX_FILES) {
      throw CheckpointErrors.corrupt(
          file, "weight_map names %d files, not 1..%d".formatted(names.size(), MAX_FILES));
    }
    for (String name : names) {
      // A plain name cannot lead out of the directory: an index comes from the network.
      if (!name.matches("[A-Za-z0-9_][A-Za-z0-9._-]*")) {
        throw CheckpointErrors.corrupt(
            file, "weight_map names \"%.200s\", which is not a plain file name".formatted(name));
      }
      if (!Files.isRegularFile(file.resolveSibling(name))) {
        throw CheckpointErrors.corrupt(
            file,
            "weight_map names %s, which is not there; fetch the missing file".formatted(name));
      }
    }
  }
}
