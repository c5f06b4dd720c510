package dev.caravan.coordinator.cli;

import dev.caravan.coordinator.text.Tokenizer;
import dev.caravan.coordinator.text.Tokenizers;
import dev.caravan.model.checkpoint.Checkpoint;
import dev.caravan.model.checkpoint.Checkpoints;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.model.vocabulary.Vocabulary;
import dev.caravan.model.vocabulary.VocabularyFiles;
import java.nio.file.Files;
import java.nio.file.Path;

/** Finds the tokenizer of a path: a GGUF, a Hugging Face directory or a tokenizer file. */
final class TokenizerSource {
  private TokenizerSource() {}

  /**
   * Opens the tokenizer.
   *
   * @throws ClusterException INVALID_REQUEST if there is none
   */
  static Tokenizer open(Path path) {
    if (Files.isDirectory(path)) {
      return Tokenizers.of(VocabularyFiles.inDirectory(path).orElseThrow(() -> missing(path)));
    }
    if (Checkpoints.isGguf(path)) {
      try (Checkpoint checkpoint = Checkpoints.open(path)) {
        return of(checkpoint);
      }
    }
    return Tokenizers.of(VocabularyFiles.read(path));
  }

  /** Returns the tokenizer of a checkpoint. */
  static Tokenizer of(Checkpoint checkpoint) {
    Vocabulary vocabulary = checkpoint.vocabulary().orElseThrow(() -> missing(checkpoint.path()));
    return Tokenizers.of(vocabulary);
  }

  private static ClusterException missing(Path path) {
    return new ClusterException(
        ErrorCode.INVALID_REQUEST,
        "%s has no tokenizer; give token ids (--ids) instead of text".formatted(path));
  }
}
