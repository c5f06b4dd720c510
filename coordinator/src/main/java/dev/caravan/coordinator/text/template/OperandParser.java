package dev.caravan.coordinator.text.template;

import dev.caravan.coordinator.text.template.Token.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Parses what stands between operators: constants, names, calls, filters, tests. */
final class OperandParser {
  private static final String NOT_CHAINED = "tests with 'is' cannot be chained";

  private final TokenStream tokens;
  private final ExpressionParser expressions;

  OperandParser(TokenStream tokens, ExpressionParser expressions) {
    this.tokens = tokens;
    this.expressions = expressions;
  }

  /** Parses an operand with its sign and what follows it; a filter works on the signed value. */
  Expression signed(boolean withFilters) {
    Token token = tokens.current();
    Expression operand;
    if (token.isOperator("-") || token.isOperator("+")) {
      tokens.enter();
      tokens.next();
      operand = new Expression.Signed(token.line(), token.isOperator("-"), signed(false));
      tokens.leave();
    } else {
      operand = primary();
    }
    operand = postfix(operand);
    return withFilters ? filters(operand) : operand;
  }

  private Expression primary() {
    Token token = tokens.current();
    int line = token.line();
    return switch (token.kind()) {
      case NAME -> name(tokens.next());
      case STRING -> new Expression.Literal(line, new Value.Text(strings()));
      case INTEGER, FLOAT -> new Expression.Literal(line, NumberLiterals.value(tokens.next()));
      case OPERATOR ->
          switch (token.text()) {
            case "(" -> parenthesis();
            case "[" -> list();
            case "{" -> mapping();
            default -> throw tokens.unexpected("a value");
          };
      case DATA, BLOCK_BEGIN, BLOCK_END, VARIABLE_BEGIN, VARIABLE_END, END ->
          throw tokens.unexpected("a value");
    };
  }

  private static Expression name(Token token) {
    int line = token.line();
    return switch (token.text()) {
      case "true", "True" -> new Expression.Literal(line, Value.Bool.TRUE);
      case "false", "False" -> new Expression.Literal(line, Value.Bool.FALSE);
      case "none", "None" -> new Expression.Literal(line, Value.None.NONE);
      default -> new Expression.Name(line, token.text());
    };
  }

  /** Strings beside one another are one. */
  private String strings() {
    StringBuilder text = new StringBuilder();
    while (tokens.current().kind() == Kind.STRING) {
      text.append(tokens.next().text());
    }
    return text.toString();
  }

  private Expression parenthesis() {
    tokens.expectOperator("(");
    Expression inside = expressions.tuple();
    tokens.expectOperator(")");
    return inside;
  }

  private Expression list() {
    int line = tokens.next().line();
    List<Expression> elements = new ArrayList<>();
    while (!tokens.current().isOperator("]")) {
      elements.add(expressions.expression());
      if (!tokens.skipOperator(",")) {
        break;
      }
    }
    tokens.expectOperator("]");
    return new Expression.ItemsDisplay(line, Value.Kind.LIST, elements);
  }

  private Expression mapping() {
    int line = tokens.next().line();
    List<Expression.Pair> pairs = new ArrayList<>();
    while (!tokens.current().isOperator("}")) {
      Expression key = expressions.expression();
      tokens.expectOperator(":");
      pairs.add(new Expression.Pair(key, expressions.expression()));
      if (!tokens.skipOperator(",")) {
        break;
      }
    }
    tokens.expectOperator("}");
    return new Expression.MappingDisplay(line, pairs);
  }

  private Expression postfix(Expression operand) {
    Expression result = operand;
    while (tokens.current().kind() == Kind.OPERATOR) {
      Token token = tokens.current();
      switch (token.text()) {
        case "." -> result = attribute(result);
        case "[" -> result = subscript(result);
        case "(" -> result = new Expression.Call(token.line(), result, inputs());
        default -> {
          return result;
        }
      }
    }
    return result;
  }

  private Expression attribute(Expression target) {
    int line = tokens.next().line();
    if (tokens.current().kind() == Kind.INTEGER) {
      Value index = NumberLiterals.value(tokens.next());
      return new Expression.Subscript(line, target, new Expression.Literal(line, index));
    }
    String name = tokens.expect(Kind.NAME, "the name of an attribute").text();
    return new Expression.Attribute(line, target, name);
  }

  private Expression subscript(Expression target) {
    int line = tokens.next().line();
    Expression start = tokens.current().isOperator(":") ? null : expressions.expression();
    if (start != null && tokens.skipOperator("]")) {
      return new Expression.Subscript(line, target, start);
    }
    tokens.expectOperator(":");
    Expression stop = bound();
    Expression step = tokens.skipOperator(":") ? bound() : null;
    tokens.expectOperator("]");
    return new Expression.Slice(line, target, new Expression.Bounds(start, stop, step));
  }

  private @Nullable Expression bound() {
    Token token = tokens.current();
    return token.isOperator(":") || token.isOperator("]") ? null : expressions.expression();
  }

  private Expression filters(Expression operand) {
    Expression result = operand;
    while (true) {
      Token token = tokens.current();
      if (token.isOperator("|")) {
        tokens.next();
        Token name = tokens.expect(Kind.NAME, "the name of a filter");
        Expression.Inputs inputs =
            tokens.current().isOperator("(") ? inputs() : Expression.Inputs.NONE;
        result = new Expression.Filter(name.line(), result, name.text(), inputs);
      } else if (token.isName("is")) {
        result = test(result);
      } else if (token.isOperator("(")) {
        result = new Expression.Call(token.line(), result, inputs());
      } else {
        return result;
      }
    }
  }

  private Expression test(Expression target) {
    int line = tokens.next().line();
    boolean negated = tokens.skipName("not");
    String name = tokens.expect(Kind.NAME, "the name of a test").text();
    Expression.Inputs inputs = Expression.Inputs.NONE;
    if (tokens.current().isOperator("(")) {
      inputs = inputs();
    } else if (tokens.current().isName("is")) {
      throw TemplateFailure.syntax(line, NOT_CHAINED);
    } else if (beginsOperand(tokens.current())) {
      inputs = new Expression.Inputs(List.of(postfix(primary())), Map.of());
    }
    Expression test = new Expression.Test(line, target, name, inputs);
    return negated ? new Expression.Not(line, test) : test;
  }

  private static boolean beginsOperand(Token token) {
    return switch (token.kind()) {
      case NAME -> !token.isName("else") && !token.isName("or") && !token.isName("and");
      case STRING, INTEGER, FLOAT -> true;
      case OPERATOR -> token.isOperator("[") || token.isOperator("{");
      case DATA, BLOCK_BEGIN, BLOCK_END, VARIABLE_BEGIN, VARIABLE_END, END -> false;
    };
  }

  private Expression.Inputs inputs() {
    tokens.expectOperator("(");
    List<Expression> positional = new ArrayList<>();
    Map<String, Expression> named = new LinkedHashMap<>();
    while (!tokens.current().isOperator(")")) {
      Token token = tokens.current();
      if (token.kind() == Kind.NAME && tokens.look().isOperator("=")) {
        tokens.next();
        tokens.next();
        if (named.put(token.text(), expressions.expression()) != null) {
          throw TemplateFailure.syntax(token.line(), token.shown() + " is given twice");
        }
      } else if (named.isEmpty()) {
        positional.add(expressions.expression());
      } else {
        throw tokens.unexpected("a named argument, as those before it");
      }
      if (!tokens.skipOperator(",")) {
        break;
      }
    }
    tokens.expectOperator(")");
    return new Expression.Inputs(positional, named);
  }
}
