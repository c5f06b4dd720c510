package dev.caravan.coordinator.cli;

import dev.caravan.coordinator.text.StreamingDecoder;
import dev.caravan.coordinator.text.Tokenizers;
import dev.caravan.model.vocabulary.Vocabulary;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The text of output ids as they come; ids themselves where the model has no vocabulary. */
final class TextStream {
  private final @Nullable StreamingDecoder decoder;
  private final int vocabularySize;
  private final @Nullable Output out;
  private final StringBuilder text = new StringBuilder();

  /**
   * @param out shows the pieces as they come; null to collect them only
   */
  TextStream(Optional<Vocabulary> vocabulary, @Nullable Output out) {
    this.vocabularySize = vocabulary.map(Vocabulary::size).orElse(0);
    this.decoder =
        vocabulary.map(tokens -> StreamingDecoder.of(Tokenizers.of(tokens))).orElse(null);
    this.out = out;
  }

  void accept(int id) {
    if (decoder != null) {
      // Models pad their vocabulary: ids beyond the last token can be sampled and have no text.
      if (id < vocabularySize) {
        add(decoder.accept(id));
      }
    } else if (out != null) {
      out.piece(id + " ");
    }
  }

  void end() {
    if (decoder != null) {
      add(decoder.flush());
    }
    if (out != null) {
      out.line("");
    }
  }

  String text() {
    return text.toString();
  }

  private void add(String piece) {
    text.append(piece);
    if (out != null && !piece.isEmpty()) {
      out.piece(piece);
    }
  }
}
