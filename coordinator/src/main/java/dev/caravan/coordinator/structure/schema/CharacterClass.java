package dev.caravan.coordinator.structure.schema;

import java.util.BitSet;

/**
 * Reads one character, escape, dot or class of a regular expression. Confined to one thread.
 *
 * <p>White space is ASCII's where it is asked for and all of Unicode's where it is ruled out, so
 * that every reader of the expression agrees.
 */
final class CharacterClass {
  private static final String SYNTAX = "^$\\.*+?()[]{}|/-";
  private static final String REFUSED = "*+?{}])^";
  private static final int HEX = 16;

  private final String source;
  private final SchemaPlace place;
  private int at;

  CharacterClass(String source, int at, SchemaPlace place) {
    this.source = source;
    this.at = at;
    this.place = place;
  }

  /** Where the next part of the expression starts. */
  int end() {
    return at;
  }

  BitSet read() {
    int c = next();
    if (c == '[') {
      return bracket();
    }
    if (c == '.') {
      BitSet all = Characters.all();
      "\n\r\u0085\u2028\u2029".chars().forEach(all::clear);
      return all;
    }
    if (c == '\\') {
      return escape(false);
    }
    if (REFUSED.indexOf(c) >= 0) {
      throw refuse("\"%c\" is not supported there".formatted(c));
    }
    return single(c);
  }

  private BitSet bracket() {
    boolean negated = peek() == '^';
    if (negated) {
      at++;
    }
    BitSet members = new BitSet();
    while (peek() != ']') {
      BitSet first = member(negated);
      if (peek() == '-' && at + 1 < source.length() && source.charAt(at + 1) != ']') {
        at++;
        range(first, member(negated), members);
      } else {
        members.or(first);
      }
    }
    at++;
    return negated ? Characters.complement(members) : members;
  }

  private void range(BitSet first, BitSet last, BitSet members) {
    if (first.cardinality() != 1 || last.cardinality() != 1 || first.length() > last.length()) {
      throw refuse("a range is not from one character up to another");
    }
    members.set(first.nextSetBit(0), last.length());
  }

  private BitSet member(boolean negated) {
    int c = next();
    return c == '\\' ? escape(negated) : single(c);
  }

  private BitSet escape(boolean negated) {
    int c = next();
    return switch (c) {
      case 'd' -> digits();
      case 'D' -> Characters.complement(digits());
      case 'w' -> word();
      case 'W' -> Characters.complement(word());
      case 's' -> spaces(negated);
      case 'S' -> Characters.complement(spaces(!negated));
      case 't' -> single('\t');
      case 'n' -> single('\n');
      case 'r' -> single('\r');
      case 'f' -> single('\f');
      case 'v' -> single(0x0B);
      case 'x' -> single(hex(2));
      case 'u' -> single(hex(4));
      default -> {
        if (SYNTAX.indexOf(c) < 0) {
          throw refuse("\"\\%s\" is not supported".formatted(Character.toString(c)));
        }
        yield single(c);
      }
    };
  }

  private static BitSet digits() {
    BitSet digits = new BitSet();
    digits.set('0', '9' + 1);
    return digits;
  }

  private static BitSet word() {
    BitSet word = digits();
    word.set('a', 'z' + 1);
    word.set('A', 'Z' + 1);
    word.set('_');
    return word;
  }

  private static BitSet spaces(boolean all) {
    BitSet spaces = new BitSet();
    " \t\n\f\r\u000B".chars().forEach(spaces::set);
    if (all) {
      "\u00A0\u1680\u2028\u2029\u202F\u205F\u3000\uFEFF\u0085".chars().forEach(spaces::set);
      spaces.set(0x2000, 0x200B);
    }
    return spaces;
  }

  private static BitSet single(int character) {
    BitSet single = new BitSet();
    single.set(character);
    return single;
  }

  private int hex(int digits) {
    int value = 0;
    for (int i = 0; i < digits; i++) {
      int digit = Character.digit(next(), HEX);
      if (digit < 0) {
        throw refuse("an escape needs %d hexadecimal digits".formatted(digits));
      }
      value = value * HEX + digit;
    }
    if (value >= Character.MIN_SURROGATE && value <= Character.MAX_SURROGATE) {
      throw refuse("half of a surrogate pair is not supported");
    }
    return value;
  }

  private int peek() {
    if (at >= source.length()) {
      throw refuse("the expression ends too early");
    }
    return source.charAt(at);
  }

  private int next() {
    peek();
    int c = source.codePointAt(at);
    at += Character.charCount(c);
    return c;
  }

  private RuntimeException refuse(String why) {
    return place.refuse("at character %d: %s".formatted(at, why));
  }
}
