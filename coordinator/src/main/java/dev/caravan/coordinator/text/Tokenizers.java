package dev.caravan.coordinator.text;

import dev.caravan.model.vocabulary.Vocabulary;

/** Makes the tokenizer that a vocabulary asks for. */
public final class Tokenizers {

  private Tokenizers() {}

  /**
   * Builds the tables of a tokenizer: about half a second for Llama 3.
   *
   * @throws dev.caravan.model.error.ClusterException CHECKPOINT_CORRUPT for a vocabulary that
   *     contradicts itself or cannot spell every text
   */
  public static Tokenizer of(Vocabulary vocabulary) {
    return switch (vocabulary.algorithm()) {
      case SENTENCEPIECE_BPE -> new SentencePieceTokenizer(vocabulary);
      case BYTE_LEVEL_BPE -> new ByteLevelTokenizer(vocabulary);
    };
  }
}
