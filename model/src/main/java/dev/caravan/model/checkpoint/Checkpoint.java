package dev.caravan.model.checkpoint;

import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.vocabulary.Vocabulary;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A model as its files hold it: mapped, never copied. Thread-safe once opened.
 *
 * <p>Errors in the files are {@link dev.caravan.model.error.ClusterException}s with
 * CHECKPOINT_CORRUPT (or INVALID_REQUEST for a path that is not there or a model that is not
 * supported) that name the file, the place and the numbers.
 */
public interface Checkpoint extends AutoCloseable {

  Path path();

  /** Name of the format, for people: "GGUF v3" or "Hugging Face safetensors". */
  String format();

  LlamaConfig config();

  QkRowOrder qkRowOrder();

  /** All tensors in file order, those that no Llama weight uses included. */
  List<TensorEntry> tensors();

  /**
   * Returns a weight; OUTPUT is the token embedding where embeddings are tied.
   *
   * @throws dev.caravan.model.error.ClusterException CHECKPOINT_CORRUPT if it is missing or its
   *     shape is not the one that the geometry asks for
   */
  TensorEntry weight(WeightName name);

  /** The tokens; empty for a model without a vocabulary (it can still be driven with ids). */
  Optional<Vocabulary> vocabulary();

  /**
   * Hex SHA-256 that two checkpoints share only if they hold the same model: over the geometry, all
   * tensor names, types and shapes, and samples of every tensor's bytes.
   */
  String fingerprint();

  /** Unmaps the files; tensors must not be read any more. */
  @Override
  void close();
}
