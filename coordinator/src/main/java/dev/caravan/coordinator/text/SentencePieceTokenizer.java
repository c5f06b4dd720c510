package dev.caravan.coordinator.text;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.model.vocabulary.Vocabulary;
import dev.caravan.model.vocabulary.Vocabulary.Token;
import dev.caravan.model.vocabulary.Vocabulary.TokenType;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * SentencePiece BPE of Llama 2: a space is put before the text, spaces become U+2581, characters
 * merge by score, and a character that is no piece becomes the tokens of its UTF-8 bytes.
 * Immutable.
 *
 * <p>The space comes again after each special token, as the tokenizers do that Llama 2 was
 * published with. Pieces of type UNUSED are never made.
 */
final class SentencePieceTokenizer implements Tokenizer {
  private static final char SPACE_MARK = '\u2581';
  private static final int NONE = -1;

  private final Vocabulary vocabulary;
  private final WholeTokens wholeTokens;
  private final TokenBytes tokenBytes;
  private final SentencePiecePairs symbols;
  private final PairTable pairs;
  private final int[] byteIds = new int[256];
  private final int unknownId;

  SentencePieceTokenizer(Vocabulary vocabulary) {
    this.vocabulary = vocabulary;
    this.wholeTokens = new WholeTokens(vocabulary.tokens());
    this.tokenBytes = new TokenBytes(vocabulary.tokens(), SentencePieceTokenizer::spell);
    this.symbols = new SentencePiecePairs(vocabulary.tokens());
    this.pairs = symbols.table();
    this.unknownId = fillByteIds();
  }

  /** Returns the id of the unknown token, {@link #NONE} if there is none. */
  private int fillByteIds() {
    Arrays.fill(byteIds, NONE);
    int unknown = NONE;
    List<Token> tokens = vocabulary.tokens();
    for (int id = 0; id < tokens.size(); id++) {
      TokenType type = tokens.get(id).type();
      if (type == TokenType.BYTE) {
        byteIds[tokenBytes.of(id)[0] & 0xFF] = id;
      } else if (type == TokenType.UNKNOWN) {
        unknown = id;
      }
    }
    for (int value = 0; value < 256; value++) {
      if (byteIds[value] == NONE && unknown == NONE) {
        throw corrupt("neither a token for byte 0x%02X nor an unknown token".formatted(value));
      }
    }
    return unknown;
  }

  private static byte[] spell(Token token) {
    String text = token.text();
    if (token.type() != TokenType.BYTE) {
      return text.replace(SPACE_MARK, ' ').getBytes(StandardCharsets.UTF_8);
    }
    if (!text.matches("<0x[0-9A-Fa-f]{2}>")) {
      throw corrupt("byte token \"%s\" is not spelled as <0xNN>".formatted(text));
    }
    return new byte[] {(byte) Integer.parseInt(text.substring(3, 5), 16)};
  }

  private static ClusterException corrupt(String what) {
    return new ClusterException(
        ErrorCode.CHECKPOINT_CORRUPT,
        "SentencePiece vocabulary: %s; download or convert the model again".formatted(what));
  }

  @Override
  public Vocabulary vocabulary() {
    return vocabulary;
  }

  @Override
  public int[] encode(String text, SpecialTokens special) {
    IdBuffer ids = new IdBuffer();
    wholeTokens.split(
        text,
        special,
        new WholeTokens.Sink() {
          @Override
          public void text(String between) {
            encodeText(between, ids);
          }

          @Override
          public void token(int id) {
            ids.add(id);
          }
        });
    return ids.toArray();
  }

  private void encodeText(String text, IdBuffer ids) {
    int[] run = new int[text.length() + 1];
    int count = 0;
    run[count++] = symbols.symbol(SPACE_MARK);
    for (int at = 0; at < text.length(); ) {
      int character = text.codePointAt(at);
      at += Character.charCount(character);
      run[count++] = symbols.symbol(normalized(character));
    }
    count = PairMerger.merge(pairs, run, count);
    for (int i = 0; i < count; i++) {
      if (run[i] >= 0) {
        ids.add(run[i]);
      } else {
        encodeBytes(~run[i], ids);
      }
    }
  }

  private static int normalized(int character) {
    if (character >= Character.MIN_SURROGATE && character <= Character.MAX_SURROGATE) {
      return '?';
    }
    return character == ' ' ? SPACE_MARK : character;
  }

  private void encodeBytes(int character, IdBuffer ids) {
    byte[] bytes = Character.toString(character).getBytes(StandardCharsets.UTF_8);
    for (byte value : bytes) {
      if (byteIds[value & 0xFF] == NONE) {
        ids.add(unknownId);
        return;
      }
    }
    for (byte value : bytes) {
      ids.add(byteIds[value & 0xFF]);
    }
  }

  @Override
  public String decode(int[] ids) {
    return tokenBytes.decode(ids, true);
  }

  @Override
  public byte[] bytes(int id) {
    return tokenBytes.of(id).clone();
  }
}
