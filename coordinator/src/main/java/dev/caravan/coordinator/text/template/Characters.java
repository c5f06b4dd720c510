package dev.caravan.coordinator.text.template;

/** What Python thinks of characters, where Java differs. */
final class Characters {
  private Characters() {}

  /** Returns whether {@code str.strip} and {@code \s} take it as white space. */
  static boolean isSpace(int character) {
    return switch (character) {
      case ' ', 0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000 -> true;
      default ->
          (character >= 9 && character <= 13)
              || (character >= 0x1C && character <= 0x1F)
              || (character >= 0x2000 && character <= 0x200A);
    };
  }

  /** Returns whether {@code str.splitlines} ends a line there. */
  static boolean isLineEnd(int character) {
    return switch (character) {
      case '\n', '\r', 0x0B, 0x0C, 0x1C, 0x1D, 0x1E, 0x85, 0x2028, 0x2029 -> true;
      default -> false;
    };
  }

  /** Returns whether {@code repr} shows it as it is. */
  static boolean isPrintable(int character) {
    if (character == ' ') {
      return true;
    }
    return switch (Character.getType(character)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SPACE_SEPARATOR ->
          false;
      default -> true;
    };
  }

  /** Returns the text without white space at its end. */
  static String stripEnd(String text) {
    int end = text.length();
    while (end > 0 && isSpace(text.charAt(end - 1))) {
      end--;
    }
    return text.substring(0, end);
  }

  /** Returns the text without white space at its start. */
  static String stripStart(String text) {
    int start = 0;
    while (start < text.length() && isSpace(text.charAt(start))) {
      start++;
    }
    return text.substring(start);
  }
}
