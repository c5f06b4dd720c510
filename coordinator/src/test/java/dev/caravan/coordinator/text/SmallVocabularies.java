package dev.caravan.coordinator.text;

import dev.caravan.model.vocabulary.ByteAlphabet;
import dev.caravan.model.vocabulary.Vocabulary;
import dev.caravan.model.vocabulary.Vocabulary.Algorithm;
import dev.caravan.model.vocabulary.Vocabulary.Merge;
import dev.caravan.model.vocabulary.Vocabulary.Token;
import dev.caravan.model.vocabulary.Vocabulary.TokenType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** Vocabularies small enough to work out the ids by hand. */
public final class SmallVocabularies {
  private SmallVocabularies() {}

  /** Ids: unk 0, s 1, /s 2, byte b = 3 + b, then the pieces from 259 on, scores -1, -2, ... */
  public static Vocabulary sentencePiece(String... pieces) {
    List<Token> tokens = new ArrayList<>();
    tokens.add(new Token("<unk>", 0, TokenType.UNKNOWN));
    tokens.add(new Token("<s>", 0, TokenType.CONTROL));
    tokens.add(new Token("</s>", 0, TokenType.CONTROL));
    for (int value = 0; value < 256; value++) {
      tokens.add(new Token("<0x%02X>".formatted(value), 0, TokenType.BYTE));
    }
    for (int i = 0; i < pieces.length; i++) {
      tokens.add(new Token(pieces[i], -1 - i, TokenType.NORMAL));
    }
    return vocabulary(Algorithm.SENTENCEPIECE_BPE, tokens, List.of());
  }

  /** Ids: byte b = b, then the result of each "left right" merge from 256 on, then the specials. */
  public static Vocabulary byteLevel(List<String> merges, List<Token> added) {
    List<String> texts = new ArrayList<>();
    for (int value = 0; value < 256; value++) {
      texts.add(String.valueOf(ByteAlphabet.spell((byte) value)));
    }
    List<Merge> pairs = new ArrayList<>();
    for (String merge : merges) {
      String[] pair = merge.split(" ", -1);
      pairs.add(new Merge(texts.indexOf(pair[0]), texts.indexOf(pair[1])));
      if (!texts.contains(pair[0] + pair[1])) {
        texts.add(pair[0] + pair[1]);
      }
    }
    List<Token> tokens = new ArrayList<>();
    texts.forEach(text -> tokens.add(new Token(text, 0, TokenType.NORMAL)));
    tokens.addAll(added);
    return vocabulary(Algorithm.BYTE_LEVEL_BPE, tokens, pairs);
  }

  public static Vocabulary vocabulary(Algorithm algorithm, List<Token> tokens, List<Merge> merges) {
    return new Vocabulary(
        algorithm, tokens, merges, OptionalInt.of(1), Set.of(2), Optional.empty());
  }
}
