package dev.caravan.model.vocabulary;

import dev.caravan.model.vocabulary.Vocabulary.Algorithm;
import dev.caravan.model.vocabulary.Vocabulary.Token;
import dev.caravan.model.vocabulary.Vocabulary.TokenType;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeSet;

/**
 * Reads SentencePiece's {@code tokenizer.model}: the pieces, and the few settings that a Llama
 * needs to have as they are. Confined to one call.
 *
 * <p>Field numbers as in SentencePiece's {@code sentencepiece_model.proto} (Kudo and Richardson,
 * 2018, arXiv:1808.06226).
 */
final class SentencePieceModel {
  private static final int MODEL_TYPE_BPE = 2;

  private final FilePlace place;
  private final TokenTable tokens;
  private int count;
  private long modelType = 1;
  private long bosId = 1;
  private long eosId = 2;
  private boolean addsDummyPrefix = true;
  private boolean collapsesWhitespace = true;

  private SentencePieceModel(FilePlace place) {
    this.place = place;
    this.tokens = new TokenTable(place);
  }

  static Vocabulary read(byte[] content, FilePlace place) {
    return new SentencePieceModel(place).parse(content);
  }

  private Vocabulary parse(byte[] content) {
    ProtobufFields model = new ProtobufFields(content, place);
    while (model.next()) {
      switch (model.field()) {
        case 1 -> readPiece(model.message());
        case 2 -> readTrainerSpec(model.message());
        case 3 -> readNormalizerSpec(model.message());
        default -> model.skip();
      }
    }
    List<Token> pieces = tokens.dense();
    requireLlamaSettings();
    return new Vocabulary(
        Algorithm.SENTENCEPIECE_BPE,
        pieces,
        List.of(),
        specialId("bos", bosId, pieces.size()),
        endIds(pieces.size()),
        Optional.empty());
  }

  private void readPiece(ProtobufFields piece) {
    String text = "";
    float score = 0;
    long type = 1;
    while (piece.next()) {
      switch (piece.field()) {
        case 1 -> text = piece.string();
        case 2 -> score = piece.float32();
        case 3 -> type = piece.varint();
        default -> piece.skip();
      }
    }
    if (Float.isNaN(score)) {
      throw place.corrupt("piece %d (\"%s\") has the score NaN".formatted(count, text));
    }
    tokens.put(count, new Token(text, score, typeOf(type)));
    count++;
  }

  private TokenType typeOf(long type) {
    return switch ((int) Math.clamp(type, 0, 7)) {
      case 1 -> TokenType.NORMAL;
      case 2 -> TokenType.UNKNOWN;
      case 3 -> TokenType.CONTROL;
      case 4 -> TokenType.USER_DEFINED;
      case 5 -> TokenType.UNUSED;
      case 6 -> TokenType.BYTE;
      default -> throw place.corrupt("piece %d has type %d, not in 1..6".formatted(count, type));
    };
  }

  private void readTrainerSpec(ProtobufFields spec) {
    while (spec.next()) {
      switch (spec.field()) {
        case 3 -> modelType = spec.varint();
        case 41 -> bosId = spec.varint();
        case 42 -> eosId = spec.varint();
        default -> spec.skip();
      }
    }
  }

  private void readNormalizerSpec(ProtobufFields spec) {
    while (spec.next()) {
      switch (spec.field()) {
        case 3 -> addsDummyPrefix = spec.flag();
        case 4 -> collapsesWhitespace = spec.flag();
        default -> spec.skip();
      }
    }
  }

  private void requireLlamaSettings() {
    if (modelType != MODEL_TYPE_BPE) {
      throw place.unsupported("SentencePiece model type %d is not 2 (BPE)".formatted(modelType));
    }
    if (!addsDummyPrefix || collapsesWhitespace) {
      throw place.unsupported(
          "SentencePiece add_dummy_prefix %s and remove_extra_whitespaces %s are not true and false"
              .formatted(addsDummyPrefix, collapsesWhitespace));
    }
  }

  private TreeSet<Integer> endIds(int size) {
    TreeSet<Integer> ids = tokens.endIds();
    specialId("eos", eosId, size).ifPresent(ids::add);
    return ids;
  }

  /** SentencePiece states a special token that does not exist as id -1. */
  private OptionalInt specialId(String name, long id, int size) {
    if (id >= size) {
      throw place.corrupt("%s id %d is not one of its %d pieces".formatted(name, id, size));
    }
    return id < 0 ? OptionalInt.empty() : OptionalInt.of((int) id);
  }
}
