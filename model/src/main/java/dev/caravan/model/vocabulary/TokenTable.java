package dev.caravan.model.vocabulary;

import dev.caravan.model.vocabulary.Vocabulary.Token;
import dev.caravan.model.vocabulary.Vocabulary.TokenType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Collects the tokens of a file by id and finds them by text. Confined to one reader. */
final class TokenTable {
  /** Bound for ids; the largest Llama vocabularies have 128,256 tokens. */
  private static final int MAX_TOKENS = 1 << 21;

  /** Names that begin a text, in the spelling of Llama 2 and Llama 3. */
  private static final List<String> BEGIN_NAMES = List.of("<s>", "<|begin_of_text|>");

  /** Names that end a generation; a model may end with any of those that it has. */
  private static final List<String> END_NAMES =
      List.of("</s>", "<|end_of_text|>", "<|eot_id|>", "<|eom_id|>");

  private final FilePlace place;
  private final List<@Nullable Token> tokens = new ArrayList<>();
  private final Map<String, Integer> ids = new HashMap<>();

  TokenTable(FilePlace place) {
    this.place = place;
  }

  /**
   * Adds a token, or replaces the one with this id if its text is the same.
   *
   * @throws dev.caravan.model.error.ClusterException CHECKPOINT_CORRUPT for an id out of bounds, an
   *     id with two texts, or a text with two ids
   */
  void put(int id, Token token) {
    if (id < 0 || id >= MAX_TOKENS) {
      throw place.corrupt("token id %d is not in 0..%d".formatted(id, MAX_TOKENS - 1));
    }
    while (tokens.size() <= id) {
      tokens.add(null);
    }
    Token present = tokens.get(id);
    if (present != null && !present.text().equals(token.text())) {
      throw place.corrupt(
          "token id %d is both \"%s\" and \"%s\"".formatted(id, present.text(), token.text()));
    }
    Integer other = ids.putIfAbsent(token.text(), id);
    if (other != null && other != id) {
      throw place.corrupt("token \"%s\" has ids %d and %d".formatted(token.text(), other, id));
    }
    tokens.set(id, token);
  }

  OptionalInt id(String text) {
    Integer id = ids.get(text);
    return id == null ? OptionalInt.empty() : OptionalInt.of(id);
  }

  /** Returns the id of a token that marks the begin of a text, going by the names in use. */
  OptionalInt beginId() {
    return BEGIN_NAMES.stream().map(this::id).flatMapToInt(OptionalInt::stream).findFirst();
  }

  /** Returns the ids of all tokens that end a generation, going by the names in use. */
  TreeSet<Integer> endIds() {
    TreeSet<Integer> found = new TreeSet<>();
    for (String name : END_NAMES) {
      OptionalInt id = id(name);
      if (id.isPresent() && typeOf(id.getAsInt()) == TokenType.CONTROL) {
        found.add(id.getAsInt());
      }
    }
    return found;
  }

  private @Nullable TokenType typeOf(int id) {
    Token token = tokens.get(id);
    return token == null ? null : token.type();
  }

  /**
   * Returns the tokens, index = id.
   *
   * @throws dev.caravan.model.error.ClusterException CHECKPOINT_CORRUPT if there is none, or an id
   *     below the largest has no token
   */
  List<Token> dense() {
    if (tokens.isEmpty()) {
      throw place.corrupt("it holds no token");
    }
    List<Token> dense = new ArrayList<>(tokens.size());
    for (int id = 0; id < tokens.size(); id++) {
      Token token = tokens.get(id);
      if (token == null) {
        throw place.corrupt("token id %d of %d is missing".formatted(id, tokens.size()));
      }
      dense.add(token);
    }
    return dense;
  }
}
