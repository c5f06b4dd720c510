package dev.caravan.coordinator.api;

import dev.caravan.coordinator.text.Tokenizer;
import dev.caravan.coordinator.text.Tokenizers;
import dev.caravan.model.vocabulary.ByteAlphabet;
import dev.caravan.model.vocabulary.Vocabulary;
import dev.caravan.model.vocabulary.Vocabulary.Algorithm;
import dev.caravan.model.vocabulary.Vocabulary.Token;
import dev.caravan.model.vocabulary.Vocabulary.TokenType;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** A vocabulary in which every byte is a token: id = byte, then a begin and an end token. */
public final class ByteVocabulary {
  static final int BEGIN = 256;
  static final int END = 257;

  private ByteVocabulary() {}

  public static Tokenizer tokenizer() {
    List<Token> tokens = new ArrayList<>();
    for (int value = 0; value < 256; value++) {
      String text = String.valueOf(ByteAlphabet.spell((byte) value));
      tokens.add(new Token(text, 0, TokenType.NORMAL));
    }
    tokens.add(new Token("<|begin|>", 0, TokenType.CONTROL));
    tokens.add(new Token("<|end|>", 0, TokenType.CONTROL));
    return Tokenizers.of(
        new Vocabulary(
            Algorithm.BYTE_LEVEL_BPE,
            tokens,
            List.of(),
            OptionalInt.of(BEGIN),
            Set.of(END),
            Optional.empty()));
  }

  /** Ids of a text, an end token after them. */
  public static int[] ended(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    int[] ids = new int[bytes.length + 1];
    for (int i = 0; i < bytes.length; i++) {
      ids[i] = Byte.toUnsignedInt(bytes[i]);
    }
    ids[bytes.length] = END;
    return ids;
  }
}
