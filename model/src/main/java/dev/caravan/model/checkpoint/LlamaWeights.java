package dev.caravan.model.checkpoint;

import dev.caravan.model.config.LlamaConfig;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Finds the weights of a Llama among the tensors of its files and checks their shapes. Immutable.
 */
final class LlamaWeights {
  private final Path file;
  private final LlamaConfig config;
  private final Map<String, TensorEntry> tensors;
  private final Function<WeightName, String> spelling;

  LlamaWeights(
      Path file,
      LlamaConfig config,
      Map<String, TensorEntry> tensors,
      Function<WeightName, String> spelling) {
    this.file = file;
    this.config = config;
    this.tensors = tensors;
    this.spelling = spelling;
  }

  /** Indexes tensors, whose names are known to differ, by name in their order. */
  static Map<String, TensorEntry> byName(List<TensorEntry> tensors) {
    Map<String, TensorEntry> byName = new LinkedHashMap<>();
    for (TensorEntry tensor : tensors) {
      byName.put(tensor.name(), tensor);
    }
    return byName;
  }

  /** See {@link Checkpoint#weight}. */
  TensorEntry find(WeightName name) {
    if (name.layer() >= config.layers()) {
      throw new IllegalArgumentException(
          "%s of a model of %d layers".formatted(name, config.layers()));
    }
    WeightName stored =
        name.kind() == WeightName.Kind.OUTPUT && config.tiedEmbeddings()
            ? WeightName.of(WeightName.Kind.TOKEN_EMBEDDING)
            : name;
    String spelled = spelling.apply(stored);
    TensorEntry tensor = tensors.get(spelled);
    if (tensor == null) {
      throw CheckpointErrors.corrupt(
          file,
          "tensor %s is missing among %d tensors; the file is incomplete, fetch it again"
              .formatted(spelled, tensors.size()));
    }
    WeightShape shape = WeightShape.of(stored.kind(), config);
    if (tensor.rows() != shape.rows() || tensor.columns() != shape.columns()) {
      throw CheckpointErrors.corrupt(
          file,
          "tensor %s has shape [%d, %d], the model's geometry asks for %s"
              .formatted(spelled, tensor.rows(), tensor.columns(), shape));
    }
    return tensor;
  }
}
