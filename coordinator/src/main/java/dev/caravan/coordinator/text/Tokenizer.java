package dev.caravan.coordinator.text;

import dev.caravan.model.vocabulary.Vocabulary;

/** Cuts text into token ids and joins them again. Implementations are immutable. */
public interface Tokenizer {

  Vocabulary vocabulary();

  /**
   * Returns the ids of a text, without a begin token. Empty text has no token. A surrogate without
   * its partner is encoded as a question mark, as {@link String#getBytes} does.
   *
   * <p>Tokens of type USER_DEFINED are recognised in both modes.
   */
  int[] encode(String text, SpecialTokens special);

  /**
   * Returns the text of a whole sequence: special tokens give nothing, bytes that are not UTF-8
   * become U+FFFD, and SentencePiece's one leading space is taken off.
   *
   * @throws dev.caravan.model.error.ClusterException INVALID_REQUEST for an id that is not in the
   *     vocabulary
   */
  String decode(int[] ids);

  /**
   * Returns the bytes that a token adds to a text: none for a special token, perhaps only a part of
   * a character. They are the caller's own.
   *
   * @throws dev.caravan.model.error.ClusterException INVALID_REQUEST for an id that is not in the
   *     vocabulary
   */
  byte[] bytes(int id);
}
