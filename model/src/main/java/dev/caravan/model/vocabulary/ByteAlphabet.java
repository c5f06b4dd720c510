package dev.caravan.model.vocabulary;

import java.util.Arrays;
import java.util.OptionalInt;

/**
 * GPT-2's spelling of bytes as printable characters, which byte-level vocabularies are written in.
 *
 * <p>Bytes that are printable in Latin-1 stand for themselves; the other 68, in rising order, are
 * U+0100, U+0101 and so on (Radford et al., 2019, "Language Models are Unsupervised Multitask
 * Learners", section 2.2 and its published encoder).
 */
public final class ByteAlphabet {
  private static final int MOVED = 0x100;

  private static final char[] SPELLING = new char[256];
  private static final short[] MEANING = new short[MOVED + 256];

  static {
    Arrays.fill(MEANING, (short) -1);
    char next = MOVED;
    for (int value = 0; value < 256; value++) {
      SPELLING[value] = isPrintable(value) ? (char) value : next++;
      MEANING[SPELLING[value]] = (short) value;
    }
  }

  private ByteAlphabet() {}

  private static boolean isPrintable(int value) {
    return (value >= '!' && value <= '~')
        || (value >= 0xA1 && value <= 0xAC)
        || (value >= 0xAE && value <= 0xFF);
  }

  /** Returns the character that spells a byte. */
  public static char spell(byte value) {
    return SPELLING[value & 0xFF];
  }

  /** Returns the spelling of all bytes. */
  public static String spell(byte[] bytes) {
    StringBuilder text = new StringBuilder(bytes.length);
    for (byte value : bytes) {
      text.append(spell(value));
    }
    return text.toString();
  }

  /** Returns the byte (0..255) that a character spells; empty if it spells none. */
  public static OptionalInt meaning(char spelling) {
    int value = spelling < MEANING.length ? MEANING[spelling] : -1;
    return value < 0 ? OptionalInt.empty() : OptionalInt.of(value);
  }
}
