package dev.caravan.coordinator.text.template;

/**
 * One token of a template.
 *
 * @param text what it says: the decoded text of a string, the characters of all others
 * @param line where it begins, from 1
 */
record Token(Kind kind, String text, int line) {
  /** What a token is. */
  enum Kind {
    /** Text outside of all tags. */
    DATA,
    BLOCK_BEGIN,
    BLOCK_END,
    VARIABLE_BEGIN,
    VARIABLE_END,
    NAME,
    STRING,
    INTEGER,
    FLOAT,
    OPERATOR,
    /** The end of the template. */
    END
  }

  boolean isOperator(String operator) {
    return kind == Kind.OPERATOR && text.equals(operator);
  }

  boolean isName(String name) {
    return kind == Kind.NAME && text.equals(name);
  }

  /** Returns how an error names it. */
  String shown() {
    return switch (kind) {
      case DATA -> "text";
      case BLOCK_BEGIN, BLOCK_END, VARIABLE_BEGIN, VARIABLE_END, OPERATOR -> "'" + text + "'";
      case NAME, INTEGER, FLOAT -> "'" + (text.length() > 40 ? text.substring(0, 40) : text) + "'";
      case STRING -> "a string";
      case END -> "the end of the template";
    };
  }
}
