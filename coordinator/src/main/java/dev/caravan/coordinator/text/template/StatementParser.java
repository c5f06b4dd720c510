package dev.caravan.coordinator.text.template;

import dev.caravan.coordinator.text.template.Statement.Target;
import dev.caravan.coordinator.text.template.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Parses a template into statements. Confined to one call. */
final class StatementParser {
  private final TokenStream tokens;
  private final ExpressionParser expressions;
  private int loops;

  private StatementParser(TokenStream tokens) {
    this.tokens = tokens;
    this.expressions = new ExpressionParser(tokens);
  }

  /**
   * Returns the statements of a template.
   *
   * @throws TemplateFailure with its line if it is not in the language
   */
  static List<Statement> parse(String source) {
    StatementParser parser = new StatementParser(new TokenStream(Lexer.tokens(source)));
    return parser.body(Set.of(), 1);
  }

  /** Parses up to a tag with one of the names; the stream stands behind that name. */
  private List<Statement> body(Set<String> ends, int beginLine) {
    tokens.enter();
    List<Statement> statements = new ArrayList<>();
    while (true) {
      Token token = tokens.next();
      switch (token.kind()) {
        case DATA -> statements.add(new Statement.Data(token.line(), token.text()));
        case VARIABLE_BEGIN -> {
          statements.add(new Statement.Output(token.line(), expressions.tuple()));
          tokens.expect(Kind.VARIABLE_END, "'}}'");
        }
        case BLOCK_BEGIN -> {
          Token name = tokens.current();
          if (name.kind() == Kind.NAME && ends.contains(name.text())) {
            tokens.leave();
            return statements;
          }
          statements.add(block());
        }
        case END -> {
          if (!ends.isEmpty()) {
            throw TemplateFailure.syntax(
                beginLine, "the block that begins here has no " + String.join(" or ", ends));
          }
          tokens.leave();
          return statements;
        }
        case BLOCK_END, VARIABLE_END, NAME, STRING, INTEGER, FLOAT, OPERATOR ->
            throw TemplateFailure.syntax(token.line(), "unexpected " + token.shown());
      }
    }
  }

  private Statement block() {
    Token token = tokens.expect(Kind.NAME, "the name of a block");
    int line = token.line();
    return switch (token.text()) {
      case "if" -> conditional(line);
      case "for" -> loop(line);
      case "set" -> assignment(line);
      case "macro" -> macro(line);
      case "generation" -> {
        endTag();
        yield new Statement.Generation(line, closedBody("endgeneration", line));
      }
      case "break", "continue" -> jump(token);
      default ->
          throw TemplateFailure.syntax(
              line, "the block %s is unknown or not supported here".formatted(token.shown()));
    };
  }

  private void endTag() {
    tokens.expect(Kind.BLOCK_END, "'%}'");
  }

  private List<Statement> closedBody(String end, int line) {
    List<Statement> body = body(Set.of(end), line);
    tokens.expectName(end);
    endTag();
    return body;
  }

  private Statement jump(Token token) {
    if (loops == 0) {
      throw TemplateFailure.syntax(token.line(), token.shown() + " outside of a loop");
    }
    endTag();
    return token.isName("break")
        ? new Statement.Break(token.line())
        : new Statement.Continue(token.line());
  }

  private Statement conditional(int line) {
    List<Statement.Branch> branches = new ArrayList<>();
    do {
      Expression condition = expressions.tuple();
      endTag();
      branches.add(new Statement.Branch(condition, body(Set.of("elif", "else", "endif"), line)));
    } while (tokens.skipName("elif"));
    List<Statement> otherwise = List.of();
    if (tokens.skipName("else")) {
      endTag();
      otherwise = body(Set.of("endif"), line);
    }
    tokens.expectName("endif");
    endTag();
    return new Statement.If(line, branches, otherwise);
  }

  private Statement loop(int line) {
    Target target = target(false);
    tokens.expectName("in");
    Expression items = expressions.loopItems();
    Expression condition = tokens.skipName("if") ? expressions.expression() : null;
    if (tokens.current().isName("recursive")) {
      throw TemplateFailure.syntax(line, "recursive loops are not supported");
    }
    endTag();
    loops++;
    List<Statement> body = body(Set.of("else", "endfor"), line);
    loops--;
    List<Statement> otherwise = List.of();
    if (tokens.skipName("else")) {
      endTag();
      otherwise = body(Set.of("endfor"), line);
    }
    tokens.expectName("endfor");
    endTag();
    return new Statement.For(line, new Statement.Range(target, items, condition), body, otherwise);
  }

  private Statement assignment(int line) {
    Target target = target(true);
    if (tokens.skipOperator("=")) {
      Expression value = expressions.tuple();
      endTag();
      return new Statement.Set(line, target, value);
    }
    endTag();
    return new Statement.SetBlock(line, target, closedBody("endset", line));
  }

  private Statement macro(int line) {
    String name = tokens.expect(Kind.NAME, "the macro's name").text();
    tokens.expectOperator("(");
    List<Statement.Parameter> parameters = new ArrayList<>();
    boolean optional = false;
    while (!tokens.current().isOperator(")")) {
      String parameter = tokens.expect(Kind.NAME, "the name of a parameter").text();
      Expression fallback = tokens.skipOperator("=") ? expressions.expression() : null;
      if (optional && fallback == null) {
        throw TemplateFailure.syntax(
            line, "parameter '%s' without a default after one with".formatted(parameter));
      }
      optional = fallback != null;
      parameters.add(new Statement.Parameter(parameter, fallback));
      if (!tokens.skipOperator(",")) {
        break;
      }
    }
    tokens.expectOperator(")");
    endTag();
    // A loop around a macro is not a loop around its body.
    int outerLoops = loops;
    loops = 0;
    List<Statement> body = closedBody("endmacro", line);
    loops = outerLoops;
    return new Statement.Macro(line, name, parameters, body);
  }

  /** Parses what is assigned to: one target, or several with commas between. */
  private Target target(boolean attributes) {
    List<Target> targets = new ArrayList<>();
    boolean several = false;
    do {
      if (!targets.isEmpty() && tokens.current().kind() != Kind.NAME) {
        break;
      }
      targets.add(oneTarget(attributes));
      several |= tokens.current().isOperator(",");
    } while (tokens.skipOperator(","));
    return several ? new Target.Several(targets) : targets.getFirst();
  }

  private Target oneTarget(boolean attributes) {
    if (tokens.skipOperator("(")) {
      tokens.enter();
      Target inside = target(attributes);
      tokens.leave();
      tokens.expectOperator(")");
      return inside;
    }
    String name = tokens.expect(Kind.NAME, "a variable's name").text();
    if (attributes && tokens.skipOperator(".")) {
      return new Target.Attribute(
          name, tokens.expect(Kind.NAME, "the name of an attribute").text());
    }
    return new Target.Variable(name);
  }
}
