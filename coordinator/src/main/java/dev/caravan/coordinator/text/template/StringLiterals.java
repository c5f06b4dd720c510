package dev.caravan.coordinator.text.template;

/** Decodes the inside of a string literal as Python's {@code unicode-escape} codec does. */
final class StringLiterals {
  private static final String PLAIN_ESCAPES = "\\'\"abfnrtv";
  private static final String PLAIN_MEANINGS = "\\'\"\u0007\b\f\n\r\t\u000B";

  private StringLiterals() {}

  /**
   * Returns the text that a literal stands for.
   *
   * @param line for errors
   */
  static String decode(String literal, int line) {
    if (literal.indexOf('\\') < 0) {
      return literal;
    }
    StringBuilder text = new StringBuilder(literal.length());
    int at = 0;
    while (at < literal.length()) {
      char next = literal.charAt(at);
      if (next == '\\' && at + 1 < literal.length()) {
        at = escape(literal, at + 1, text, line);
      } else {
        text.append(next);
        at++;
      }
    }
    return text.toString();
  }

  /** Appends what the escape at an index (behind its backslash) means; returns the index after. */
  private static int escape(String literal, int at, StringBuilder text, int line) {
    char type = literal.charAt(at);
    int plain = PLAIN_ESCAPES.indexOf(type);
    if (plain >= 0) {
      text.append(PLAIN_MEANINGS.charAt(plain));
      return at + 1;
    }
    return switch (type) {
      case '\n' -> at + 1;
      case 'x' -> hex(literal, at + 1, 2, text, line);
      case 'u' -> hex(literal, at + 1, 4, text, line);
      case 'U' -> hex(literal, at + 1, 8, text, line);
      case 'N' ->
          throw TemplateFailure.syntax(line, "\\N{...} in a string is not supported, use \\u");
      case '0', '1', '2', '3', '4', '5', '6', '7' -> octal(literal, at, text);
      default -> {
        text.append('\\');
        yield at;
      }
    };
  }

  private static int hex(String literal, int at, int digits, StringBuilder text, int line) {
    int end = at + digits;
    long value = -1;
    if (end <= literal.length()) {
      value = 0;
      for (int i = at; i < end && value >= 0; i++) {
        char character = literal.charAt(i);
        int digit = character < 0x80 ? Character.digit(character, 16) : -1;
        value = digit < 0 ? -1 : value * 16 + digit;
      }
    }
    if (value < 0 || value > Character.MAX_CODE_POINT) {
      throw TemplateFailure.syntax(
          line, "an escape in a string needs %d hexadecimal digits".formatted(digits));
    }
    text.appendCodePoint((int) value);
    return end;
  }

  private static int octal(String literal, int at, StringBuilder text) {
    int value = 0;
    int end = at;
    while (end < literal.length() && end < at + 3 && "01234567".indexOf(literal.charAt(end)) >= 0) {
      value = value * 8 + literal.charAt(end) - '0';
      end++;
    }
    text.appendCodePoint(value);
    return end;
  }
}
