package dev.caravan.coordinator.structure.schema;

import dev.caravan.coordinator.structure.grammar.ByteSet;
import dev.caravan.coordinator.structure.grammar.Node;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/** Sets of characters as a JSON string spells them, in UTF-8. */
final class Characters {
  private static final int CODE_POINTS = Character.MAX_CODE_POINT + 1;

  /** Last code point of each length in UTF-8. */
  private static final int[] LAST_OF_LENGTH = {0x7F, 0x7FF, 0xFFFF, Character.MAX_CODE_POINT};

  private static final int CONTINUATION_BITS = 6;
  private static final String SHORT_ESCAPES = "\b\t\n\f\r\"\\";
  private static final String SHORT_LETTERS = "btnfr\"\\";

  private Characters() {}

  static BitSet all() {
    BitSet all = new BitSet(CODE_POINTS);
    all.set(0, CODE_POINTS);
    return all;
  }

  static BitSet complement(BitSet characters) {
    BitSet others = (BitSet) characters.clone();
    others.flip(0, CODE_POINTS);
    return others;
  }

  /** All characters that a JSON string may hold without a backslash. */
  static BitSet plain() {
    BitSet plain = all();
    plain.clear(0, ' ');
    plain.clear('"');
    plain.clear('\\');
    return plain;
  }

  /** Returns one character of a set: plainly where JSON allows it, else escaped. */
  static Node of(BitSet characters) {
    List<Node> spellings = new ArrayList<>();
    BitSet plain = plain();
    plain.and(characters);
    plain.clear(Character.MIN_SURROGATE, Character.MAX_SURROGATE + 1);
    for (int first = plain.nextSetBit(0); first >= 0; ) {
      int end = plain.nextClearBit(first);
      split(first, end - 1, spellings);
      first = plain.nextSetBit(end);
    }
    for (int c = characters.nextSetBit(0); c >= 0 && c <= '\\'; c = characters.nextSetBit(c + 1)) {
      if (c < ' ' || c == '"' || c == '\\') {
        spellings.add(Node.text(escape(c)));
      }
    }
    return Node.choice(spellings);
  }

  private static String escape(int character) {
    int known = SHORT_ESCAPES.indexOf(character);
    return known >= 0 ? "\\" + SHORT_LETTERS.charAt(known) : "\\u%04x".formatted(character);
  }

  /** Adds a range of code points, cut so that each byte of a part has a range of its own. */
  private static void split(int first, int last, List<Node> spellings) {
    for (int end : LAST_OF_LENGTH) {
      if (first <= end && end < last) {
        split(first, end, spellings);
        split(end + 1, last, spellings);
        return;
      }
    }
    for (int bytes = 1; bytes < length(last); bytes++) {
      int mask = (1 << (CONTINUATION_BITS * bytes)) - 1;
      if ((first & ~mask) != (last & ~mask)) {
        if ((first & mask) != 0) {
          split(first, first | mask, spellings);
          split((first | mask) + 1, last, spellings);
          return;
        }
        if ((last & mask) != mask) {
          split(first, (last & ~mask) - 1, spellings);
          split(last & ~mask, last, spellings);
          return;
        }
      }
    }
    spellings.add(ranges(first, last));
  }

  private static int length(int codePoint) {
    int length = 1;
    while (codePoint > LAST_OF_LENGTH[length - 1]) {
      length++;
    }
    return length;
  }

  private static Node ranges(int first, int last) {
    byte[] low = Character.toString(first).getBytes(StandardCharsets.UTF_8);
    byte[] high = Character.toString(last).getBytes(StandardCharsets.UTF_8);
    if (first == last) {
      return new Node.Literal(low);
    }
    Node[] parts = new Node[low.length];
    for (int i = 0; i < parts.length; i++) {
      parts[i] = new Node.Bytes(ByteSet.range(low[i] & 0xFF, high[i] & 0xFF));
    }
    return Node.sequence(parts);
  }
}
