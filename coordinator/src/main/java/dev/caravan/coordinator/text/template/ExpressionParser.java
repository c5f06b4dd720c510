package dev.caravan.coordinator.text.template;

import dev.caravan.coordinator.text.template.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Parses operators with the precedence that jinja2 gives them; {@link OperandParser} does what they
 * stand between. Confined to one call.
 */
final class ExpressionParser {
  private final TokenStream tokens;
  private final OperandParser operands;

  ExpressionParser(TokenStream tokens) {
    this.tokens = tokens;
    this.operands = new OperandParser(tokens, this);
  }

  /** Parses one expression. */
  Expression expression() {
    tokens.enter();
    Expression expression = disjunction();
    while (tokens.current().isName("if")) {
      int line = tokens.next().line();
      Expression condition = disjunction();
      Expression otherwise = tokens.skipName("else") ? expression() : null;
      expression = new Expression.Conditional(line, condition, expression, otherwise);
    }
    tokens.leave();
    return expression;
  }

  /** Parses one expression, or several with commas between: a tuple. */
  Expression tuple() {
    return tuple(false);
  }

  /** Parses the items of a loop, after which an {@code if} is the loop's own. */
  Expression loopItems() {
    return tuple(true);
  }

  private Expression tuple(boolean inLoop) {
    int line = tokens.current().line();
    List<Expression> elements = new ArrayList<>();
    boolean comma = false;
    while (!isTupleEnd()) {
      elements.add(inLoop ? disjunction() : expression());
      if (!tokens.skipOperator(",")) {
        break;
      }
      comma = true;
    }
    if (!comma && elements.size() == 1) {
      return elements.getFirst();
    }
    if (elements.isEmpty() && !tokens.current().isOperator(")")) {
      throw tokens.unexpected("a value");
    }
    return new Expression.ItemsDisplay(line, Value.Kind.TUPLE, elements);
  }

  private boolean isTupleEnd() {
    Token token = tokens.current();
    return token.kind() == Kind.VARIABLE_END
        || token.kind() == Kind.BLOCK_END
        || token.isOperator(")");
  }

  private Expression disjunction() {
    Expression left = conjunction();
    while (tokens.current().isName("or")) {
      int line = tokens.next().line();
      left = new Expression.Logical(line, false, left, conjunction());
    }
    return left;
  }

  private Expression conjunction() {
    Expression left = negation();
    while (tokens.current().isName("and")) {
      int line = tokens.next().line();
      left = new Expression.Logical(line, true, left, negation());
    }
    return left;
  }

  private Expression negation() {
    if (!tokens.current().isName("not")) {
      return comparison();
    }
    tokens.enter();
    int line = tokens.next().line();
    Expression negation = new Expression.Not(line, negation());
    tokens.leave();
    return negation;
  }

  private Expression comparison() {
    int line = tokens.current().line();
    Expression first = sum();
    List<Expression.Comparand> rest = new ArrayList<>();
    Comparisons.Operator operator = comparisonOperator();
    while (operator != null) {
      rest.add(new Expression.Comparand(operator, sum()));
      operator = comparisonOperator();
    }
    return rest.isEmpty() ? first : new Expression.Comparison(line, first, rest);
  }

  private Comparisons.@Nullable Operator comparisonOperator() {
    Token token = tokens.current();
    if (token.isName("not") && tokens.look().isName("in")) {
      tokens.next();
      tokens.next();
      return Comparisons.Operator.NOT_IN;
    }
    if (token.kind() != Kind.OPERATOR && !token.isName("in")) {
      return null;
    }
    for (Comparisons.Operator operator : Comparisons.Operator.values()) {
      if (operator.symbol().equals(token.text())) {
        tokens.next();
        return operator;
      }
    }
    return null;
  }

  private Expression sum() {
    Expression left = concatenation();
    while (tokens.current().isOperator("+") || tokens.current().isOperator("-")) {
      Token token = tokens.next();
      left = binary(token, left, concatenation());
    }
    return left;
  }

  private Expression concatenation() {
    int line = tokens.current().line();
    List<Expression> parts = new ArrayList<>(List.of(product()));
    while (tokens.skipOperator("~")) {
      parts.add(product());
    }
    return parts.size() == 1 ? parts.getFirst() : new Expression.Concatenation(line, parts);
  }

  private Expression product() {
    Expression left = power();
    while (isProductOperator(tokens.current())) {
      Token token = tokens.next();
      left = binary(token, left, power());
    }
    return left;
  }

  private static boolean isProductOperator(Token token) {
    return token.isOperator("*")
        || token.isOperator("/")
        || token.isOperator("//")
        || token.isOperator("%");
  }

  /** Groups from the left as jinja2 does, not from the right as Python. */
  private Expression power() {
    Expression left = operands.signed(true);
    while (tokens.current().isOperator("**")) {
      Token token = tokens.next();
      left = binary(token, left, operands.signed(true));
    }
    return left;
  }

  private static Expression binary(Token token, Expression left, Expression right) {
    return new Expression.Binary(token.line(), Arithmetic.Operator.of(token.text()), left, right);
  }
}
