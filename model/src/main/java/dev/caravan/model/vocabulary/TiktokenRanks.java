package dev.caravan.model.vocabulary;

import dev.caravan.model.vocabulary.Vocabulary.Algorithm;
import dev.caravan.model.vocabulary.Vocabulary.Merge;
import dev.caravan.model.vocabulary.Vocabulary.Token;
import dev.caravan.model.vocabulary.Vocabulary.TokenType;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Reads Llama 3's {@code tokenizer.model}: tiktoken's lines of a token in Base64 and its rank,
 * which is its id. The special tokens are not in the file; they follow the ranks.
 *
 * <p>tiktoken joins two neighbours if their concatenation is a token, the lowest rank first. So
 * every way to cut a token into two tokens becomes a merge, in the order of the tokens' ranks.
 */
final class TiktokenRanks {
  /** Bounds the ways to cut a token; Llama 3's longest has 128 bytes. */
  private static final int MAX_TOKEN_BYTES = 256;

  private static final int RESERVED_TOKENS = 248;

  private final FilePlace place;
  private final TokenTable tokens;

  /** Bytes of each token as Latin-1 characters, to its rank. */
  private final Map<String, Integer> ranks = new HashMap<>();

  private TiktokenRanks(FilePlace place) {
    this.place = place;
    this.tokens = new TokenTable(place);
  }

  /** Returns true if the file starts with a line of Base64, a space and a number. */
  static boolean matches(byte[] content) {
    int length = Math.min(content.length, 2 * MAX_TOKEN_BYTES);
    String start = new String(content, 0, length, StandardCharsets.ISO_8859_1);
    return start.lines().findFirst().orElse("").matches("[A-Za-z0-9+/]+={0,2} [0-9]+");
  }

  static Vocabulary read(byte[] content, FilePlace place) {
    return new TiktokenRanks(place).parse(content);
  }

  private Vocabulary parse(byte[] content) {
    int line = 0;
    for (String text :
        (Iterable<String>) new String(content, StandardCharsets.ISO_8859_1).lines()::iterator) {
      line++;
      if (!text.isEmpty()) {
        readLine(text, line);
      }
    }
    int ranked = ranks.size();
    tokens.dense();
    List<String> specials = specialNames();
    for (int i = 0; i < specials.size(); i++) {
      tokens.put(ranked + i, new Token(specials.get(i), 0, TokenType.CONTROL));
    }
    return new Vocabulary(
        Algorithm.BYTE_LEVEL_BPE,
        tokens.dense(),
        merges(),
        tokens.beginId(),
        tokens.endIds(),
        Optional.empty());
  }

  private void readLine(String text, int line) {
    int space = text.indexOf(' ');
    byte[] bytes;
    int rank;
    try {
      bytes = Base64.getDecoder().decode(text.substring(0, Math.max(space, 0)));
      rank = Integer.parseInt(text.substring(space + 1).strip());
    } catch (IllegalArgumentException e) {
      throw place.corrupt("line %d is not a token in Base64 and a rank".formatted(line), e);
    }
    if (bytes.length == 0 || bytes.length > MAX_TOKEN_BYTES) {
      throw place.corrupt(
          "line %d: a token of %d bytes, not 1..%d".formatted(line, bytes.length, MAX_TOKEN_BYTES));
    }
    tokens.put(rank, new Token(ByteAlphabet.spell(bytes), 0, TokenType.NORMAL));
    ranks.put(new String(bytes, StandardCharsets.ISO_8859_1), rank);
  }

  private List<Merge> merges() {
    List<Merge> merges = new ArrayList<>();
    List<Merge> cuts = new ArrayList<>();
    List<Map.Entry<String, Integer>> byRank = new ArrayList<>(ranks.entrySet());
    byRank.sort(Map.Entry.comparingByValue());
    for (Map.Entry<String, Integer> entry : byRank) {
      String token = entry.getKey();
      cuts.clear();
      for (int cut = 1; cut < token.length(); cut++) {
        Integer left = ranks.get(token.substring(0, cut));
        Integer right = left == null ? null : ranks.get(token.substring(cut));
        if (left != null && right != null) {
          cuts.add(new Merge(left, right));
        }
      }
      cuts.sort(Comparator.comparingInt(Merge::left).thenComparingInt(Merge::right));
      merges.addAll(cuts);
    }
    return merges;
  }

  /**
   * The 256 special tokens of Llama 3.1 and later; Llama 3.0 reserved those that it did not use.
   */
  private static List<String> specialNames() {
    List<String> names =
        new ArrayList<>(
            List.of(
                "<|begin_of_text|>",
                "<|end_of_text|>",
                reserved(0),
                reserved(1),
                "<|finetune_right_pad_id|>",
                reserved(2),
                "<|start_header_id|>",
                "<|end_header_id|>",
                "<|eom_id|>",
                "<|eot_id|>",
                "<|python_tag|>"));
    for (int i = 3; i < RESERVED_TOKENS; i++) {
      names.add(reserved(i));
    }
    return names;
  }

  private static String reserved(int index) {
    return "<|reserved_special_token_" + index + "|>";
  }
}
