package dev.caravan.coordinator.cli;

import dev.caravan.model.checkpoint.Checkpoint;
import dev.caravan.model.checkpoint.Checkpoints;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.model.vocabulary.Vocabulary;
import dev.caravan.model.vocabulary.VocabularyFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Where a chat template comes from.
 *
 * @param text the template
 * @param tokens the texts of special tokens by the names that templates know them by
 */
record ChatTemplateSource(String text, Map<String, String> tokens) {
  /** Ends of a turn: of several end tokens a chat model means one of these. */
  private static final List<String> TURN_ENDS = List.of("<|eot_id|>", "</s>");

  /**
   * Reads a file.
   *
   * @throws ClusterException INVALID_REQUEST if it is not there or not UTF-8
   */
  static ChatTemplateSource ofFile(Path file) {
    return new ChatTemplateSource(IdsFiles.readText(file), Map.of());
  }

  /**
   * Takes the template of a GGUF file or a Hugging Face directory, and its special tokens.
   *
   * @throws ClusterException INVALID_REQUEST if it has no template
   */
  static ChatTemplateSource ofModel(Path path) {
    Vocabulary vocabulary = vocabulary(path).orElseThrow(() -> missing(path));
    String text = vocabulary.chatTemplate().orElseThrow(() -> missing(path));
    return new ChatTemplateSource(text, tokens(vocabulary));
  }

  /** Returns the texts of a model's special tokens by the names that templates know them by. */
  static Map<String, String> tokens(Vocabulary vocabulary) {
    Map<String, String> tokens = new TreeMap<>();
    vocabulary.bosId().ifPresent(id -> tokens.put("bos_token", vocabulary.tokens().get(id).text()));
    List<String> ends =
        vocabulary.eosIds().stream()
            .sorted()
            .map(id -> vocabulary.tokens().get(id).text())
            .toList();
    if (!ends.isEmpty()) {
      String end = TURN_ENDS.stream().filter(ends::contains).findFirst().orElse(ends.getFirst());
      tokens.put("eos_token", end);
    }
    return tokens;
  }

  private static Optional<Vocabulary> vocabulary(Path path) {
    if (Files.isDirectory(path)) {
      return VocabularyFiles.inDirectory(path);
    }
    try (Checkpoint checkpoint = Checkpoints.open(path)) {
      return checkpoint.vocabulary();
    }
  }

  private static ClusterException missing(Path path) {
    return new ClusterException(
        ErrorCode.INVALID_REQUEST,
        "%s has no chat template; give one with --template".formatted(path));
  }
}
