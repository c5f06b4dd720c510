package dev.caravan.coordinator.text;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.model.vocabulary.Vocabulary.Token;
import dev.caravan.model.vocabulary.Vocabulary.TokenType;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * SentencePiece's merges, worked out from the scores of its pieces. Read-only once built.
 *
 * <p>SentencePiece joins two neighbours if their concatenation is a piece, the highest score first.
 * That is a table of pairs: every way to cut a piece into two symbols, ranked by score. A symbol is
 * the id of a piece, or the complement of a code point that is no piece of its own.
 */
final class SentencePiecePairs {
  /** Bounds the ways to cut a piece; Llama 2's longest has 16 characters. */
  private static final int MAX_PIECE_CHARS = 512;

  private final List<Token> tokens;
  private final Map<String, Integer> pieces = new HashMap<>();
  private final Map<Integer, Integer> characters = new HashMap<>();

  SentencePiecePairs(List<Token> tokens) {
    this.tokens = tokens;
    for (int id = 0; id < tokens.size(); id++) {
      String text = tokens.get(id).text();
      if (tokens.get(id).type() == TokenType.NORMAL && !text.isEmpty()) {
        pieces.putIfAbsent(text, id);
        if (text.codePointCount(0, text.length()) == 1) {
          characters.putIfAbsent(text.codePointAt(0), id);
        }
      }
    }
  }

  int symbol(int codePoint) {
    return characters.getOrDefault(codePoint, ~codePoint);
  }

  PairTable table() {
    float[] scores = descendingScores();
    PairTable table = new PairTable();
    pieces.forEach((text, id) -> {
      float score = tokens.get(id).score();
      // Minus infinity marks a piece that merging must not make.
      if (score > Float.NEGATIVE_INFINITY) {
        addCuts(text, id, Arrays.binarySearch(scores, -score), table);
      }
    });
    return table;
  }

  /** Returns the negated scores in rising order; an index into them is a rank. */
  private float[] descendingScores() {
    double[] sorted =
        pieces.values().stream()
            .mapToDouble(id -> -tokens.get(id).score())
            .sorted()
            .distinct()
            .toArray();
    float[] scores = new float[sorted.length];
    for (int i = 0; i < scores.length; i++) {
      scores[i] = (float) sorted[i];
    }
    return scores;
  }

  private void addCuts(String text, int id, int rank, PairTable table) {
    if (text.length() > MAX_PIECE_CHARS) {
      throw new ClusterException(
          ErrorCode.CHECKPOINT_CORRUPT,
          "SentencePiece vocabulary: piece %d has %d characters, at most %d; get the model again"
              .formatted(id, text.length(), MAX_PIECE_CHARS));
    }
    for (int cut = text.offsetByCodePoints(0, 1);
        cut < text.length();
        cut = text.offsetByCodePoints(cut, 1)) {
      Integer left = symbolOf(text.substring(0, cut));
      Integer right = left == null ? null : symbolOf(text.substring(cut));
      if (left != null && right != null) {
        table.put(left, right, rank, id);
      }
    }
  }

  private @Nullable Integer symbolOf(String part) {
    int first = part.codePointAt(0);
    return part.length() == Character.charCount(first)
        ? Integer.valueOf(symbol(first))
        : pieces.get(part);
  }
}
