package dev.caravan.coordinator.text.template;

import dev.caravan.coordinator.text.template.Token.Kind;
import java.util.List;

/** The parser's place in the tokens, and how deep it is. Confined to one parser. */
final class TokenStream {
  /** Parentheses and blocks inside one another; templates seen have 8. */
  private static final int MAX_DEPTH = 80;

  private final List<Token> tokens;
  private int at;
  private int depth;

  /**
   * @param tokens the last one of kind END
   */
  TokenStream(List<Token> tokens) {
    this.tokens = tokens;
  }

  Token current() {
    return tokens.get(at);
  }

  Token look() {
    return tokens.get(Math.min(at + 1, tokens.size() - 1));
  }

  /** Returns the current token and moves on; stays at the end. */
  Token next() {
    Token token = current();
    at = Math.min(at + 1, tokens.size() - 1);
    return token;
  }

  boolean skipOperator(String operator) {
    boolean found = current().isOperator(operator);
    if (found) {
      next();
    }
    return found;
  }

  boolean skipName(String name) {
    boolean found = current().isName(name);
    if (found) {
      next();
    }
    return found;
  }

  void expectOperator(String operator) {
    if (!skipOperator(operator)) {
      throw unexpected("'" + operator + "'");
    }
  }

  void expectName(String name) {
    if (!skipName(name)) {
      throw unexpected("'" + name + "'");
    }
  }

  Token expect(Kind kind, String what) {
    if (current().kind() != kind) {
      throw unexpected(what);
    }
    return next();
  }

  /** Goes one level deeper. */
  void enter() {
    if (++depth > MAX_DEPTH) {
      throw TemplateFailure.syntax(
          current().line(), "nested deeper than %d levels".formatted(MAX_DEPTH));
    }
  }

  void leave() {
    depth--;
  }

  /** Returns the error for a current token that is not what the language needs there. */
  TemplateFailure unexpected(String wanted) {
    return TemplateFailure.syntax(
        current().line(), "unexpected %s, %s is needed".formatted(current().shown(), wanted));
  }
}
