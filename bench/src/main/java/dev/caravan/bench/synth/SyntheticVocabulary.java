package dev.caravan.bench.synth;

import dev.caravan.model.checkpoint.GgufWriter;
import dev.caravan.model.vocabulary.ByteAlphabet;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * A vocabulary of any size in the two forms that Llamas have: every text can be tokenised, and
 * every token but the special ones is text. Immutable.
 *
 * <p>After the bytes come made-up words: a word, a letter longer, in order of length.
 */
final class SyntheticVocabulary {
  /** Fewest tokens: the bytes and what is special. */
  static final int MIN_TOKENS = 512;

  private static final int BYTES = 256;
  private static final int LLAMA_3_SPECIALS = 256;
  private static final int NORMAL = 1;
  private static final int UNKNOWN = 2;
  private static final int CONTROL = 3;
  private static final int BYTE = 6;
  private static final String LETTERS = "abcdefghijklmnopqrstuvwxyz";

  private final List<String> tokens = new ArrayList<>();
  private final List<Integer> types = new ArrayList<>();
  private final List<String> merges = new ArrayList<>();
  private final boolean byteLevel;

  /**
   * @param byteLevel true for the form of Llama 3, false for that of Llama 2
   * @param size at least {@link #MIN_TOKENS}
   */
  SyntheticVocabulary(boolean byteLevel, int size) {
    if (size < MIN_TOKENS) {
      throw new IllegalArgumentException(
          "%d tokens, at least %d needed".formatted(size, MIN_TOKENS));
    }
    this.byteLevel = byteLevel;
    if (byteLevel) {
      fillByteLevel(size);
    } else {
      fillSentencePiece(size);
    }
  }

  /** Adds the {@code tokenizer.*} entries. */
  void describe(GgufWriter writer) {
    writer
        .metadata("tokenizer.ggml.model", byteLevel ? "gpt2" : "llama")
        .metadata("tokenizer.ggml.pre", byteLevel ? "llama-bpe" : "default")
        .metadata("tokenizer.ggml.tokens", tokens)
        .metadata("tokenizer.ggml.token_type", types);
    if (byteLevel) {
      writer
          .metadata("tokenizer.ggml.merges", merges)
          .metadata("tokenizer.ggml.bos_token_id", tokens.indexOf("<|begin_of_text|>"))
          .metadata("tokenizer.ggml.eos_token_id", tokens.indexOf("<|eot_id|>"));
    } else {
      writer
          .metadata("tokenizer.ggml.scores", scores())
          .metadata("tokenizer.ggml.unknown_token_id", 0)
          .metadata("tokenizer.ggml.bos_token_id", 1)
          .metadata("tokenizer.ggml.eos_token_id", 2);
    }
    writer
        .metadata("tokenizer.ggml.add_bos_token", true)
        .metadata("tokenizer.ggml.add_eos_token", false);
  }

  List<String> tokens() {
    return Collections.unmodifiableList(tokens);
  }

  private void fillByteLevel(int size) {
    for (int value = 0; value < BYTES; value++) {
      add(ByteAlphabet.spell(new byte[] {(byte) value}), NORMAL);
    }
    String space = ByteAlphabet.spell(new byte[] {' '});
    addWords(space, size - LLAMA_3_SPECIALS);
    for (int i = 0; i < LLAMA_3_SPECIALS; i++) {
      add(special(i), CONTROL);
    }
  }

  private void fillSentencePiece(int size) {
    add("<unk>", UNKNOWN);
    add("<s>", CONTROL);
    add("</s>", CONTROL);
    for (int value = 0; value < BYTES; value++) {
      add("<0x%02X>".formatted(value), BYTE);
    }
    add("\u2581", NORMAL);
    for (char letter = '!'; letter <= '~'; letter++) {
      add(String.valueOf(letter), NORMAL);
    }
    addWords("\u2581", size);
  }

  /** Adds words, each made of an earlier one and a letter, until there are so many tokens. */
  private void addWords(String space, int size) {
    List<String> words = new ArrayList<>();
    words.add(space);
    LETTERS.chars().forEach(letter -> words.add(Character.toString(letter)));
    for (int next = 0; tokens.size() < size; next++) {
      String begin = words.get(next);
      for (int i = 0; i < LETTERS.length() && tokens.size() < size; i++) {
        String letter = LETTERS.substring(i, i + 1);
        words.add(begin + letter);
        add(begin + letter, NORMAL);
        merges.add(begin + " " + letter);
      }
    }
  }

  private void add(String token, int type) {
    tokens.add(token);
    types.add(type);
  }

  /** Pieces that come first merge first; what never merges has the score 0. */
  private List<Float> scores() {
    List<Float> scores = new ArrayList<>();
    for (int id = 0; id < tokens.size(); id++) {
      scores.add(types.get(id) == NORMAL ? -(float) (id - BYTES) : 0f);
    }
    return scores;
  }

  /** The special tokens of Llama 3, in its order. */
  private static String special(int index) {
    return switch (index) {
      case 0 -> "<|begin_of_text|>";
      case 1 -> "<|end_of_text|>";
      case 2 -> "<|reserved_special_token_0|>";
      case 3 -> "<|reserved_special_token_1|>";
      case 4 -> "<|finetune_right_pad_id|>";
      case 5 -> "<|reserved_special_token_2|>";
      case 6 -> "<|start_header_id|>";
      case 7 -> "<|end_header_id|>";
      case 8 -> "<|eom_id|>";
      case 9 -> "<|eot_id|>";
      case 10 -> "<|python_tag|>";
      default -> "<|reserved_special_token_%d|>".formatted(index - 8);
    };
  }
}
