package dev.caravan.model.vocabulary;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * The tokens of a model and how text becomes them, as the model's files state it.
 *
 * @param algorithm how text is cut
 * @param tokens one per id, index = id
 * @param merges pairs of ids in order of priority (BYTE_LEVEL_BPE); empty otherwise
 * @param bosId put before a prompt, if the model has one
 * @param eosIds ids that end a generation
 * @param chatTemplate Jinja source, if the model has one
 */
public record Vocabulary(
    Algorithm algorithm,
    List<Token> tokens,
    List<Merge> merges,
    OptionalInt bosId,
    Set<Integer> eosIds,
    Optional<String> chatTemplate) {

  /** How text is cut into tokens. */
  public enum Algorithm {
    /** SentencePiece BPE by score, with a dummy prefix space and byte fallback (Llama 2). */
    SENTENCEPIECE_BPE,
    /** Byte-level BPE by merge rank after the Llama 3 pre-tokeniser. */
    BYTE_LEVEL_BPE
  }

  /** What a token stands for. */
  public enum TokenType {
    NORMAL,
    /** Ends, begins or structures text; recognised in text only where special tokens are parsed. */
    CONTROL,
    /** Added text that is recognised as a whole. */
    USER_DEFINED,
    UNKNOWN,
    /** A single byte of SentencePiece's byte fallback. */
    BYTE,
    UNUSED
  }

  /**
   * One token.
   *
   * @param text as the files spell it: SentencePiece pieces with U+2581 for a space, byte-level
   *     tokens in GPT-2's byte-to-character spelling, special tokens plainly
   * @param score priority in SENTENCEPIECE_BPE, higher merges first; 0 otherwise
   */
  public record Token(String text, float score, TokenType type) {}

  /** Two token ids that merge. */
  public record Merge(int left, int right) {}

  public Vocabulary {
    tokens = List.copyOf(tokens);
    merges = List.copyOf(merges);
    eosIds = Set.copyOf(eosIds);
  }

  public int size() {
    return tokens.size();
  }
}
