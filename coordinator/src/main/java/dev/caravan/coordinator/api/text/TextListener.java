package dev.caravan.coordinator.api.text;

import dev.caravan.coordinator.generate.GenerationListener;
import dev.caravan.coordinator.generate.TokenLogprobs;
import dev.caravan.model.error.ClusterException;
import java.util.List;

/**
 * Hears one generation as text, in order: must return at once. After onEnd or onError nothing more
 * is heard.
 */
public interface TextListener {

  /**
   * A part of the text.
   *
   * @param text whole characters, never a part of a stop text; may be empty if there are tokens
   * @param tokens those that begin in this part, if probabilities were asked for
   */
  record Piece(String text, List<ScoredToken> tokens) {
    public Piece {
      tokens = List.copyOf(tokens);
    }
  }

  /** Hears the prompt's probabilities, if asked for, before any text. */
  void onPrompt(List<TokenLogprobs> prompt);

  /** Hears the next part. */
  void onPiece(Piece piece);

  /** The text is complete. */
  void onEnd(GenerationListener.End end);

  /** The generation failed or was cancelled. */
  void onError(ClusterException error);
}
