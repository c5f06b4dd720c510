package dev.caravan.coordinator.text;

import dev.caravan.model.vocabulary.Vocabulary.Algorithm;
import dev.caravan.model.vocabulary.Vocabulary.TokenType;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;

/**
 * Turns the ids of one sequence into text as they come, never giving out a part of a character.
 * Confined to one sequence.
 *
 * <p>All pieces together, {@link #flush()} included, are the text that decoding all ids at once
 * gives, U+FFFD for bytes that are not UTF-8 included.
 */
public final class StreamingDecoder {

  /** How a decoder differs from decoding a whole sequence. */
  public enum Option {
    /** The ids continue a text: SentencePiece's leading space is a space of the text. */
    CONTINUES_TEXT,
    /** Special tokens are shown as they are spelled. */
    SHOWS_SPECIAL
  }

  private final Tokenizer tokenizer;
  private final boolean showsSpecial;
  private final CharsetDecoder utf8 =
      StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPLACE)
          .onUnmappableCharacter(CodingErrorAction.REPLACE);

  /** True until the first byte, if it is left out when it is a space. */
  private boolean stripsSpace;

  /** Bytes of a character that is not complete. */
  private byte[] held = {};

  private StreamingDecoder(Tokenizer tokenizer, Set<Option> options) {
    this.tokenizer = tokenizer;
    this.showsSpecial = options.contains(Option.SHOWS_SPECIAL);
    this.stripsSpace =
        tokenizer.vocabulary().algorithm() == Algorithm.SENTENCEPIECE_BPE
            && !options.contains(Option.CONTINUES_TEXT);
  }

  public static StreamingDecoder of(Tokenizer tokenizer, Option... options) {
    Set<Option> chosen = EnumSet.noneOf(Option.class);
    chosen.addAll(Arrays.asList(options));
    return new StreamingDecoder(tokenizer, chosen);
  }

  /**
   * Takes the next id.
   *
   * @return the text that is complete now, often empty
   * @throws dev.caravan.model.error.ClusterException INVALID_REQUEST for an id that is not in the
   *     vocabulary
   */
  public String accept(int id) {
    byte[] bytes = bytes(id);
    int from = 0;
    if (stripsSpace && bytes.length > 0) {
      stripsSpace = false;
      from = bytes[0] == ' ' ? 1 : 0;
    }
    ByteBuffer input = ByteBuffer.allocate(held.length + bytes.length - from);
    input.put(held).put(bytes, from, bytes.length - from).flip();
    return decode(input, false);
  }

  /** Ends the sequence: returns U+FFFD for a character that was never completed, else nothing. */
  public String flush() {
    return decode(ByteBuffer.wrap(held), true);
  }

  private byte[] bytes(int id) {
    byte[] bytes = tokenizer.bytes(id);
    if (!showsSpecial || bytes.length > 0) {
      return bytes;
    }
    var token = tokenizer.vocabulary().tokens().get(id);
    return token.type() == TokenType.CONTROL || token.type() == TokenType.UNKNOWN
        ? token.text().getBytes(StandardCharsets.UTF_8)
        : bytes;
  }

  private String decode(ByteBuffer input, boolean atEnd) {
    // A byte gives at most one char: four bytes give two, an invalid byte gives U+FFFD.
    CharBuffer output = CharBuffer.allocate(input.remaining() + 1);
    utf8.reset();
    utf8.decode(input, output, atEnd);
    if (atEnd) {
      utf8.flush(output);
    }
    held = new byte[input.remaining()];
    input.get(held);
    return output.flip().toString();
  }
}
