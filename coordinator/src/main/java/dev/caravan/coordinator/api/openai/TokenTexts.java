package dev.caravan.coordinator.api.openai;

import dev.caravan.coordinator.text.Tokenizer;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** How single tokens are shown: special ones as they are spelled. Immutable. */
final class TokenTexts {
  private final Tokenizer tokenizer;

  TokenTexts(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  byte[] bytes(int id) {
    byte[] bytes = tokenizer.bytes(id);
    return bytes.length > 0
        ? bytes
        : tokenizer.vocabulary().tokens().get(id).text().getBytes(StandardCharsets.UTF_8);
  }

  /** Returns the text; a part of a character becomes U+FFFD. */
  String text(int id) {
    return new String(bytes(id), StandardCharsets.UTF_8);
  }

  /**
   * Returns the text; a part of a character is spelled {@code bytes:\xe2\x80}, so that all differ.
   */
  String distinctText(int id) {
    byte[] bytes = bytes(id);
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      StringBuilder spelled = new StringBuilder("bytes:");
      for (byte each : bytes) {
        spelled.append("\\x%02x".formatted(each));
      }
      return spelled.toString();
    }
  }
}
