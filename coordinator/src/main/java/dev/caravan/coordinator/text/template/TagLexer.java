package dev.caravan.coordinator.text.template;

import dev.caravan.coordinator.text.template.Token.Kind;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/** Cuts the inside of one tag into tokens. Confined to its {@link Lexer}. */
final class TagLexer {
  private static final List<String> LONG_OPERATORS = List.of("**", "//", "==", "!=", ">=", "<=");
  private static final String SHORT_OPERATORS = "+-/*%~[](){}<>=.:|,;";

  private final String source;
  private final String delimiter;
  private final Deque<Character> open = new ArrayDeque<>();
  private int at;
  private int line;
  private boolean closed;
  private char sign;
  private Token token = new Token(Kind.END, "", 0);

  /**
   * @param at where the inside begins
   * @param line the line of that place
   * @param delimiter what ends the tag, outside of all brackets
   */
  TagLexer(String source, int at, int line, String delimiter) {
    this.source = source;
    this.at = at;
    this.line = line;
    this.delimiter = delimiter;
  }

  /** Moves to the next token; false at the end of the tag or of the template. */
  boolean next() {
    skipSpace();
    if (at >= source.length()) {
      return false;
    }
    if (open.isEmpty() && closes()) {
      closed = true;
      return false;
    }
    int start = at;
    char first = source.charAt(at);
    if (isDigit(first)) {
      number();
    } else if (first == '_' || Character.isLetter(source.codePointAt(at))) {
      name();
    } else if (first == '\'' || first == '"') {
      string(first);
    } else {
      operator(first);
    }
    for (int i = start; i < at; i++) {
      line += source.charAt(i) == '\n' ? 1 : 0;
    }
    return true;
  }

  Token token() {
    return token;
  }

  /** Where the tag's end begins, its sign included. */
  int position() {
    return at;
  }

  int line() {
    return line;
  }

  boolean isClosed() {
    return closed;
  }

  /** The sign before the tag's end: '-', '+' or 0 for none. */
  char sign() {
    return sign;
  }

  private boolean closes() {
    if (source.startsWith(delimiter, at)) {
      return true;
    }
    char first = source.charAt(at);
    boolean signed = first == '-' || (first == '+' && delimiter.equals("%}"));
    sign = signed && source.startsWith(delimiter, at + 1) ? first : 0;
    return sign != 0;
  }

  private void skipSpace() {
    while (at < source.length() && Characters.isSpace(source.charAt(at))) {
      line += source.charAt(at) == '\n' ? 1 : 0;
      at++;
    }
  }

  private void name() {
    int start = at;
    int character = source.codePointAt(at);
    while (character == '_' || Character.isLetterOrDigit(character)) {
      at += Character.charCount(character);
      character = at < source.length() ? source.codePointAt(at) : 0;
    }
    token = new Token(Kind.NAME, source.substring(start, at), line);
  }

  private void string(char quote) {
    int end = at + 1;
    while (end < source.length() && source.charAt(end) != quote) {
      end += source.charAt(end) == '\\' ? 2 : 1;
    }
    if (end >= source.length()) {
      throw TemplateFailure.syntax(line, "the string that begins here has no end");
    }
    String text = StringLiterals.decode(source.substring(at + 1, end), line);
    token = new Token(Kind.STRING, text, line);
    at = end + 1;
  }

  private void operator(char first) {
    for (String operator : LONG_OPERATORS) {
      if (source.startsWith(operator, at)) {
        token = new Token(Kind.OPERATOR, operator, line);
        at += 2;
        return;
      }
    }
    if (SHORT_OPERATORS.indexOf(first) < 0) {
      throw TemplateFailure.syntax(
          line, "unexpected character '%s'".formatted(Character.toString(source.codePointAt(at))));
    }
    balance(first);
    token = new Token(Kind.OPERATOR, String.valueOf(first), line);
    at++;
  }

  private void balance(char bracket) {
    switch (bracket) {
      case '(' -> open.push(')');
      case '[' -> open.push(']');
      case '{' -> open.push('}');
      case ')', ']', '}' -> {
        if (open.isEmpty() || open.pop() != bracket) {
          throw TemplateFailure.syntax(line, "unexpected '%s'".formatted(bracket));
        }
      }
      default -> {}
    }
  }

  /** As Python writes numbers: 1_000, 0x1F, 1.5e-3. */
  private void number() {
    int start = at;
    char type = at + 1 < source.length() ? Character.toLowerCase(source.charAt(at + 1)) : 0;
    if (source.charAt(at) == '0' && "box".indexOf(type) >= 0) {
      at += 2;
      int radix = type == 'x' ? 16 : type == 'o' ? 8 : 2;
      while (at < source.length() && isDigitOf(source.charAt(at), radix)) {
        at++;
      }
      token = new Token(Kind.INTEGER, source.substring(start, at), line);
      return;
    }
    digits();
    boolean afterDot = start > 0 && source.charAt(start - 1) == '.';
    boolean real = false;
    if (!afterDot && charAt(at) == '.' && isDigit(charAt(at + 1))) {
      at++;
      digits();
      real = true;
    }
    if (!afterDot && Character.toLowerCase(charAt(at)) == 'e') {
      boolean signed = charAt(at + 1) == '+' || charAt(at + 1) == '-';
      int exponent = at + (signed ? 2 : 1);
      if (isDigit(charAt(exponent))) {
        at = exponent;
        digits();
        real = true;
      }
    }
    token = new Token(real ? Kind.FLOAT : Kind.INTEGER, source.substring(start, at), line);
  }

  private void digits() {
    while (isDigit(charAt(at)) || (charAt(at) == '_' && isDigit(charAt(at + 1)))) {
      at++;
    }
  }

  private char charAt(int index) {
    return index < source.length() ? source.charAt(index) : 0;
  }

  private static boolean isDigit(char character) {
    return character >= '0' && character <= '9';
  }

  private static boolean isDigitOf(char character, int radix) {
    return character == '_' || (character < 0x80 && Character.digit(character, radix) >= 0);
  }
}
