package dev.caravan.coordinator.text;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.model.vocabulary.ByteAlphabet;
import dev.caravan.model.vocabulary.Vocabulary;
import dev.caravan.model.vocabulary.Vocabulary.Merge;
import dev.caravan.model.vocabulary.Vocabulary.Token;
import dev.caravan.model.vocabulary.Vocabulary.TokenType;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Byte-level BPE of Llama 3: text is cut by {@link Llama3Splitter}; a piece that is a token is that
 * token, else its bytes merge by rank. Immutable.
 */
final class ByteLevelTokenizer implements Tokenizer {
  private final Vocabulary vocabulary;
  private final WholeTokens wholeTokens;
  private final TokenBytes tokenBytes;
  private final int[] byteIds = new int[256];

  /** Bytes of each token as Latin-1 characters. */
  private final Map<String, Integer> pieces = new HashMap<>();

  private final int maxPieceBytes;
  private final PairTable pairs;

  ByteLevelTokenizer(Vocabulary vocabulary) {
    this.vocabulary = vocabulary;
    this.wholeTokens = new WholeTokens(vocabulary.tokens());
    this.tokenBytes = new TokenBytes(vocabulary.tokens(), ByteLevelTokenizer::spell);
    Map<String, Integer> byText = new HashMap<>();
    int longest = 0;
    for (int id = 0; id < vocabulary.size(); id++) {
      Token token = vocabulary.tokens().get(id);
      byText.putIfAbsent(token.text(), id);
      if (token.type() == TokenType.NORMAL) {
        byte[] bytes = tokenBytes.of(id);
        pieces.putIfAbsent(new String(bytes, StandardCharsets.ISO_8859_1), id);
        longest = Math.max(longest, bytes.length);
      }
    }
    this.maxPieceBytes = longest;
    fillByteIds();
    this.pairs = pairs(vocabulary, byText);
  }

  private void fillByteIds() {
    for (int value = 0; value < 256; value++) {
      Integer id = pieces.get(String.valueOf((char) value));
      if (id == null) {
        throw corrupt("no token is the byte 0x%02X alone".formatted(value));
      }
      byteIds[value] = id;
    }
  }

  private static PairTable pairs(Vocabulary vocabulary, Map<String, Integer> byText) {
    List<Token> tokens = vocabulary.tokens();
    List<Merge> merges = vocabulary.merges();
    PairTable pairs = new PairTable();
    for (int rank = 0; rank < merges.size(); rank++) {
      Merge merge = merges.get(rank);
      if (Math.min(merge.left(), merge.right()) < 0
          || Math.max(merge.left(), merge.right()) >= tokens.size()) {
        throw corrupt(
            "merge %d joins ids %d and %d, ids are 0..%d"
                .formatted(rank, merge.left(), merge.right(), tokens.size() - 1));
      }
      String text = tokens.get(merge.left()).text() + tokens.get(merge.right()).text();
      Integer merged = byText.get(text);
      if (merged == null) {
        throw corrupt("merge %d makes \"%s\", which is no token".formatted(rank, text));
      }
      pairs.put(merge.left(), merge.right(), rank, merged);
    }
    return pairs;
  }

  private static ClusterException corrupt(String what) {
    return new ClusterException(
        ErrorCode.CHECKPOINT_CORRUPT,
        "byte-level vocabulary: %s; download or convert the model again".formatted(what));
  }

  /** Added text is spelled plainly, ranked tokens in the byte alphabet. */
  private static byte[] spell(Token token) {
    String text = token.text();
    byte[] plain = text.getBytes(StandardCharsets.UTF_8);
    if (token.type() != TokenType.NORMAL) {
      return plain;
    }
    byte[] bytes = new byte[text.length()];
    for (int i = 0; i < bytes.length; i++) {
      OptionalInt meaning = ByteAlphabet.meaning(text.charAt(i));
      if (meaning.isEmpty()) {
        return plain;
      }
      bytes[i] = (byte) meaning.getAsInt();
    }
    return bytes;
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
    int end;
    for (int from = 0; from < text.length(); from = end) {
      end = Llama3Splitter.end(text, from);
      encodePiece(text.substring(from, end).getBytes(StandardCharsets.UTF_8), ids);
    }
  }

  private void encodePiece(byte[] piece, IdBuffer ids) {
    if (piece.length <= maxPieceBytes) {
      Integer whole = pieces.get(new String(piece, StandardCharsets.ISO_8859_1));
      if (whole != null) {
        ids.add(whole);
        return;
      }
    }
    int[] symbols = new int[piece.length];
    for (int i = 0; i < piece.length; i++) {
      symbols[i] = byteIds[piece[i] & 0xFF];
    }
    int count = PairMerger.merge(pairs, symbols, symbols.length);
    for (int i = 0; i < count; i++) {
      ids.add(symbols[i]);
    }
  }

  @Override
  public String decode(int[] ids) {
    return tokenBytes.decode(ids, false);
  }

  @Override
  public byte[] bytes(int id) {
    return tokenBytes.of(id).clone();
  }
}
