package dev.caravan.model.vocabulary;

import com.fasterxml.jackson.databind.JsonNode;
import dev.caravan.model.vocabulary.Vocabulary.Algorithm;
import dev.caravan.model.vocabulary.Vocabulary.Merge;
import dev.caravan.model.vocabulary.Vocabulary.Token;
import dev.caravan.model.vocabulary.Vocabulary.TokenType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * Reads {@code tokenizer.json} of the Hugging Face tokenizers library: BPE with byte fallback
 * (Llama 2) and byte-level BPE (Llama 3). Confined to one call.
 *
 * <p>For Llama 2 the format has merges where SentencePiece has scores. The merges of one piece
 * stand together, ordered by the piece's score, so the negated rank of a piece's first merge is a
 * score that gives the same order. A piece that no merge makes gets minus infinity.
 */
final class TokenizerJson {
  /** Pre-tokeniser of Llama 3; another one would cut text differently without an error. */
  private static final String LLAMA3_SPLIT =
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
          + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

  private static final Pattern BYTE_TOKEN = Pattern.compile("<0x[0-9A-F]{2}>");

  /** Ranks beyond this are not exact as a float score. */
  private static final int MAX_MERGES = 1 << 24;

  private final FilePlace place;
  private final JsonNode root;
  private final JsonNode model;
  private final TokenTable tokens;

  private TokenizerJson(JsonNode root, FilePlace place) {
    this.place = place;
    this.root = root;
    this.model = root.path("model");
    this.tokens = new TokenTable(place);
  }

  static Vocabulary read(byte[] content, FilePlace place) {
    return new TokenizerJson(JsonFiles.object(content, place), place).parse();
  }

  private Vocabulary parse() {
    Algorithm algorithm = algorithm();
    if (algorithm == Algorithm.BYTE_LEVEL_BPE) {
      readVocabulary(text -> new Token(text, 0, TokenType.NORMAL));
    } else {
      Map<String, Float> scores = scores();
      readVocabulary(text ->
          BYTE_TOKEN.matcher(text).matches()
              ? new Token(text, 0, TokenType.BYTE)
              : new Token(
                  text, scores.getOrDefault(text, Float.NEGATIVE_INFINITY), TokenType.NORMAL));
    }
    List<Merge> merges = algorithm == Algorithm.BYTE_LEVEL_BPE ? merges() : List.of();
    readAddedTokens();
    return new Vocabulary(
        algorithm, tokens.dense(), merges, beginId(), tokens.endIds(), Optional.empty());
  }

  private Algorithm algorithm() {
    String type = model.path("type").asText("BPE");
    if (!type.equals("BPE") || !model.path("merges").isArray()) {
      throw place.unsupported("model.type \"%s\" is not BPE with merges".formatted(type));
    }
    JsonNode preTokenizer = root.path("pre_tokenizer");
    if (hasType(preTokenizer, "ByteLevel")) {
      String split = preTokenizer.findPath("Regex").asText("");
      if (!split.equals(LLAMA3_SPLIT)) {
        throw place.unsupported(
            "pre_tokenizer splits by \"%s\", not as Llama 3 does".formatted(split));
      }
      return Algorithm.BYTE_LEVEL_BPE;
    }
    boolean prefixed =
        hasType(root.path("normalizer"), "Prepend")
            || (hasType(preTokenizer, "Metaspace")
                && !preTokenizer.findPath("prepend_scheme").asText("").equals("never"));
    if (!model.path("byte_fallback").asBoolean(false) || !prefixed) {
      throw place.unsupported(
          "BPE that is neither byte-level nor with byte fallback and a prefix space");
    }
    return Algorithm.SENTENCEPIECE_BPE;
  }

  private static boolean hasType(JsonNode component, String type) {
    return component.findValues("type").stream().anyMatch(node -> node.asText().equals(type));
  }

  private void readVocabulary(Function<String, Token> token) {
    JsonNode vocab = model.path("vocab");
    if (!vocab.isObject()) {
      throw place.corrupt("model.vocab is not an object of tokens and ids");
    }
    String unknown = model.path("unk_token").asText("");
    vocab
        .properties()
        .forEach(entry -> {
          String text = entry.getKey();
          int id = id(entry.getValue(), "model.vocab[\"%s\"]".formatted(text));
          boolean isUnknown = !unknown.isEmpty() && text.equals(unknown);
          tokens.put(id, isUnknown ? new Token(text, 0, TokenType.UNKNOWN) : token.apply(text));
        });
  }

  private int id(JsonNode node, String where) {
    if (!node.isInt()) {
      throw place.corrupt("%s is %s, not an id".formatted(where, abbreviate(node)));
    }
    return node.intValue();
  }

  private Map<String, Float> scores() {
    Map<String, Float> scores = new HashMap<>();
    JsonNode merges = mergeNodes();
    for (int rank = 0; rank < merges.size(); rank++) {
      String[] pair = pair(merges.get(rank), rank);
      scores.putIfAbsent(pair[0] + pair[1], (float) -rank);
    }
    return scores;
  }

  private List<Merge> merges() {
    JsonNode nodes = mergeNodes();
    List<Merge> merges = new ArrayList<>(nodes.size());
    for (int rank = 0; rank < nodes.size(); rank++) {
      String[] pair = pair(nodes.get(rank), rank);
      OptionalInt left = tokens.id(pair[0]);
      OptionalInt right = tokens.id(pair[1]);
      if (left.isEmpty() || right.isEmpty() || tokens.id(pair[0] + pair[1]).isEmpty()) {
        throw place.corrupt(
            "model.merges[%d] (\"%s\" and \"%s\") names or makes a text that is not in model.vocab"
                .formatted(rank, pair[0], pair[1]));
      }
      merges.add(new Merge(left.getAsInt(), right.getAsInt()));
    }
    return merges;
  }

  private JsonNode mergeNodes() {
    JsonNode merges = model.path("merges");
    if (merges.size() > MAX_MERGES) {
      throw place.corrupt("%d merges, at most %d".formatted(merges.size(), MAX_MERGES));
    }
    return merges;
  }

  /** Older files join the two texts by a space, newer ones list them. */
  private String[] pair(JsonNode merge, int rank) {
    if (merge.isTextual()) {
      String text = merge.textValue();
      int space = text.indexOf(' ');
      if (space > 0 && space == text.lastIndexOf(' ') && space < text.length() - 1) {
        return new String[] {text.substring(0, space), text.substring(space + 1)};
      }
    } else if (merge.isArray()
        && merge.size() == 2
        && merge.get(0).isTextual()
        && merge.get(1).isTextual()) {
      return new String[] {merge.get(0).textValue(), merge.get(1).textValue()};
    }
    throw place.corrupt("model.merges[%d] is %s, not two texts".formatted(rank, abbreviate(merge)));
  }

  private void readAddedTokens() {
    String unknown = model.path("unk_token").asText("");
    JsonNode added = root.path("added_tokens");
    for (int i = 0; i < added.size(); i++) {
      JsonNode node = added.path(i);
      String text = node.path("content").asText("");
      if (text.isEmpty()) {
        throw place.corrupt("added_tokens[%d] has no content".formatted(i));
      }
      TokenType type =
          node.path("special").asBoolean(false) ? TokenType.CONTROL : TokenType.USER_DEFINED;
      int id = id(node.path("id"), "added_tokens[%d].id".formatted(i));
      tokens.put(id, new Token(text, 0, text.equals(unknown) ? TokenType.UNKNOWN : type));
    }
  }

  /** The special token that the template puts before a text, else one known by name. */
  private OptionalInt beginId() {
    JsonNode first = root.path("post_processor").findPath("single").path(0).path("SpecialToken");
    OptionalInt id = tokens.id(first.path("id").asText(""));
    return id.isPresent() ? id : tokens.beginId();
  }

  private static String abbreviate(JsonNode node) {
    String text = node.toString();
    return text.length() <= 80 ? text : text.substring(0, 80) + "...";
  }
}
