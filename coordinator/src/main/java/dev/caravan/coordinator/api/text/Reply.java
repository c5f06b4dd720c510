package dev.caravan.coordinator.api.text;

import dev.caravan.coordinator.generate.GenerationListener.EndReason;
import dev.caravan.coordinator.generate.TokenLogprobs;
import dev.caravan.model.error.ClusterException;
import java.util.List;

/**
 * Answers one request of one or more choices. Called under one lock, in order: must return at once.
 * After done or failed nothing more is heard.
 */
public interface Reply {

  /** All choices were accepted by the engine. */
  void begin();

  /** The probabilities of a choice's prompt, if asked for. */
  void prompt(int choice, List<TokenLogprobs> prompt);

  /** The next part of a choice. */
  void piece(int choice, TextListener.Piece piece);

  /** A choice is complete. */
  void end(int choice, EndReason reason);

  /** All choices are complete. */
  void done(Usage usage);

  /** A choice failed; the others are cancelled. */
  void failed(ClusterException error);
}
