package dev.caravan.coordinator.text.template;

import java.math.BigInteger;

/** Reads the numbers that a template writes. */
final class NumberLiterals {
  private static final int MAX_DIGITS = 300;

  private NumberLiterals() {}

  /** Returns the value of an INTEGER or FLOAT token. */
  static Value value(Token token) {
    String digits = token.text().replace("_", "");
    if (digits.length() > MAX_DIGITS) {
      throw TemplateFailure.syntax(
          token.line(),
          "a number of %d digits; at most %d are read".formatted(digits.length(), MAX_DIGITS));
    }
    if (token.kind() == Token.Kind.FLOAT) {
      return new Value.Float(Double.parseDouble(digits));
    }
    try {
      return new Value.Int(integer(digits));
    } catch (NumberFormatException e) {
      throw TemplateFailure.syntax(token.line(), "'%s' is no number".formatted(token.text()));
    }
  }

  private static BigInteger integer(String digits) {
    if (digits.length() > 1 && digits.charAt(0) == '0') {
      switch (Character.toLowerCase(digits.charAt(1))) {
        case 'x':
          return new BigInteger(digits.substring(2), 16);
        case 'o':
          return new BigInteger(digits.substring(2), 8);
        case 'b':
          return new BigInteger(digits.substring(2), 2);
        default:
          if (!digits.chars().allMatch(digit -> digit == '0')) {
            throw new NumberFormatException("leading zero");
          }
      }
    }
    return new BigInteger(digits);
  }
}
