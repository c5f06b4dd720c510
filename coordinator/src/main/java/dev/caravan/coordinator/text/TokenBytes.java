package dev.caravan.coordinator.text;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.model.vocabulary.Vocabulary.Token;
import dev.caravan.model.vocabulary.Vocabulary.TokenType;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Function;

/** The bytes that each token adds to a text. Immutable. */
final class TokenBytes {
  private static final byte[] NOTHING = {};

  private final byte[][] bytes;

  /**
   * Spells all tokens.
   *
   * @param spelling bytes of a token that is neither special nor added text
   */
  TokenBytes(List<Token> tokens, Function<Token, byte[]> spelling) {
    bytes = new byte[tokens.size()][];
    for (int id = 0; id < bytes.length; id++) {
      Token token = tokens.get(id);
      bytes[id] =
          token.type() == TokenType.CONTROL || token.type() == TokenType.UNKNOWN
              ? NOTHING
              : spelling.apply(token);
    }
  }

  /** Returns the bytes of a token; they must not be changed. */
  byte[] of(int id) {
    if (id < 0 || id >= bytes.length) {
      throw new ClusterException(
          ErrorCode.INVALID_REQUEST,
          "token id %d is not in the vocabulary of 0..%d".formatted(id, bytes.length - 1));
    }
    return bytes[id];
  }

  /** Joins tokens to text; with {@code stripSpace} one space at the very start is left out. */
  String decode(int[] ids, boolean stripSpace) {
    ByteArrayOutputStream joined = new ByteArrayOutputStream(ids.length * 4);
    for (int id : ids) {
      joined.writeBytes(of(id));
    }
    byte[] all = joined.toByteArray();
    int from = stripSpace && all.length > 0 && all[0] == ' ' ? 1 : 0;
    return new String(all, from, all.length - from, StandardCharsets.UTF_8);
  }
}
