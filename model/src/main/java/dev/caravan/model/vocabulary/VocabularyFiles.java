package dev.caravan.model.vocabulary;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Reads the vocabulary files that come with Llama models: {@code tokenizer.json} (Hugging Face) and
 * {@code tokenizer.model} (SentencePiece for Llama 2, tiktoken for Llama 3). Thread-safe.
 *
 * <p>Files are taken as hostile: sizes, depths, ids and lengths are bounded. A damaged file is a
 * {@link dev.caravan.model.error.ClusterException} CHECKPOINT_CORRUPT that names the place; a
 * missing file or a tokenizer that no Llama has is INVALID_REQUEST.
 */
public final class VocabularyFiles {
  private static final int FIRST_PIECE_TAG = 0x0A;

  private VocabularyFiles() {}

  /**
   * Reads one file; its format is told by its content. Begin and end tokens are what the file
   * states, else those with the names that Llama models use; there is no chat template.
   */
  public static Vocabulary read(Path file) {
    FilePlace place = new FilePlace(file);
    byte[] content = place.readAll();
    if (startsWithBrace(content)) {
      return TokenizerJson.read(content, place);
    }
    if (TiktokenRanks.matches(content)) {
      return TiktokenRanks.read(content, place);
    }
    if (content.length > 0 && content[0] == FIRST_PIECE_TAG) {
      return SentencePieceModel.read(content, place);
    }
    throw place.corrupt(
        "its %d bytes are neither JSON nor SentencePiece nor tiktoken".formatted(content.length));
  }

  /**
   * Reads the vocabulary of a Hugging Face directory, with the begin and end tokens and the chat
   * template that its other files state; empty if there is neither {@code tokenizer.json} nor
   * {@code tokenizer.model}.
   */
  public static Optional<Vocabulary> inDirectory(Path directory) {
    for (String name : List.of("tokenizer.json", "tokenizer.model")) {
      Path file = directory.resolve(name);
      if (Files.exists(file)) {
        return Optional.of(new HuggingFaceSettings(directory, read(file)).applied());
      }
    }
    return Optional.empty();
  }

  private static boolean startsWithBrace(byte[] content) {
    int at = 0;
    while (at < content.length && " \t\r\n".indexOf(content[at]) >= 0) {
      at++;
    }
    return at < content.length && content[at] == '{';
  }
}
