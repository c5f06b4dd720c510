package dev.caravan.coordinator.text;

/**
 * Llama 3's pre-tokeniser: cuts text into words, numbers of up to three digits, punctuation and
 * white space; tokens never cross a cut.
 *
 * <p>Does by hand, in linear time, what this regular expression does with Unicode classes: {@code
 * (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|
 * ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+}
 */
final class Llama3Splitter {
  private static final int LONG_S = 0x17F;
  private static final int MAX_DIGITS = 3;

  private Llama3Splitter() {}

  /**
   * Returns the end of the piece that starts at {@code from}.
   *
   * @param from in [0, text.length())
   */
  static int end(String text, int from) {
    int contraction = contractionEnd(text, from);
    if (contraction > 0) {
      return contraction;
    }
    int first = text.codePointAt(from);
    int second = from + Character.charCount(first);
    if (Character.isLetter(first)) {
      return lettersEnd(text, second);
    }
    boolean number = isNumber(first);
    if (!number
        && !isLineBreak(first)
        && second < text.length()
        && Character.isLetter(text.codePointAt(second))) {
      return lettersEnd(text, second);
    }
    if (number) {
      return numberEnd(text, from);
    }
    if (isPunctuation(first)) {
      return punctuationEnd(text, second);
    }
    if (first == ' ' && second < text.length() && isPunctuation(text.codePointAt(second))) {
      return punctuationEnd(text, second);
    }
    return whiteSpaceEnd(text, from);
  }

  /** Returns the end of 's, 't, 're, 've, 'm, 'll or 'd in any case; -1 if there is none. */
  private static int contractionEnd(String text, int from) {
    if (text.charAt(from) != '\'' || from + 1 == text.length()) {
      return -1;
    }
    char first = folded(text.charAt(from + 1));
    if (first == 's' || first == 't' || first == 'm' || first == 'd') {
      return from + 2;
    }
    char second = from + 2 < text.length() ? folded(text.charAt(from + 2)) : 0;
    boolean pair =
        (first == 'r' && second == 'e')
            || (first == 'v' && second == 'e')
            || (first == 'l' && second == 'l');
    return pair ? from + 3 : -1;
  }

  /** The long s is the only letter beyond ASCII that equals one of these in another case. */
  private static char folded(char letter) {
    return letter == LONG_S ? 's' : letter < 0x80 ? Character.toLowerCase(letter) : letter;
  }

  private static int lettersEnd(String text, int from) {
    int at = from;
    while (at < text.length() && Character.isLetter(text.codePointAt(at))) {
      at += Character.charCount(text.codePointAt(at));
    }
    return at;
  }

  private static int numberEnd(String text, int from) {
    int at = from;
    for (int digits = 0; digits < MAX_DIGITS && at < text.length(); digits++) {
      int next = text.codePointAt(at);
      if (!isNumber(next)) {
        break;
      }
      at += Character.charCount(next);
    }
    return at;
  }

  private static int punctuationEnd(String text, int from) {
    int at = from;
    while (at < text.length() && isPunctuation(text.codePointAt(at))) {
      at += Character.charCount(text.codePointAt(at));
    }
    while (at < text.length() && isLineBreak(text.charAt(at))) {
      at++;
    }
    return at;
  }

  /** Up to the last line break of the run; else all but the last space, which a word may take. */
  private static int whiteSpaceEnd(String text, int from) {
    int at = from;
    int lastBreak = -1;
    while (at < text.length() && isWhiteSpace(text.charAt(at))) {
      if (isLineBreak(text.charAt(at))) {
        lastBreak = at;
      }
      at++;
    }
    if (lastBreak >= 0) {
      return lastBreak + 1;
    }
    return at == text.length() || at == from + 1 ? at : at - 1;
  }

  private static boolean isPunctuation(int character) {
    return !isWhiteSpace(character) && !Character.isLetter(character) && !isNumber(character);
  }

  private static boolean isNumber(int character) {
    int type = Character.getType(character);
    return type == Character.DECIMAL_DIGIT_NUMBER
        || type == Character.LETTER_NUMBER
        || type == Character.OTHER_NUMBER;
  }

  private static boolean isLineBreak(int character) {
    return character == '\r' || character == '\n';
  }

  /** Unicode's White_Space property, which is neither of the two that Character offers. */
  private static boolean isWhiteSpace(int character) {
    return switch (character) {
      case ' ', 0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000 -> true;
      default ->
          (character >= 0x09 && character <= 0x0D) || (character >= 0x2000 && character <= 0x200A);
    };
  }
}
