package dev.caravan.coordinator.text.template;

import com.fasterxml.jackson.databind.JsonNode;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.time.LocalDateTime;
import java.util.List;
import java.util.Map;

/** A parsed template. Immutable. */
public final class Template {
  /** The longest template known has 20,000. */
  private static final int MAX_SOURCE_CHARS = 1 << 20;

  private final List<Statement> statements;

  private Template(List<Statement> statements) {
    this.statements = List.copyOf(statements);
  }

  /**
   * Parses a template.
   *
   * @throws ClusterException CHECKPOINT_CORRUPT, with the line, if it is not in the language
   */
  public static Template parse(String source) {
    if (source.length() > MAX_SOURCE_CHARS) {
      throw new ClusterException(
          ErrorCode.CHECKPOINT_CORRUPT,
          "the chat template has %d characters, at most %d are read; give another one"
              .formatted(source.length(), MAX_SOURCE_CHARS));
    }
    try {
      return new Template(StatementParser.parse(source));
    } catch (TemplateFailure e) {
      throw new ClusterException(
          ErrorCode.CHECKPOINT_CORRUPT,
          "chat template, line %d: %s; correct the template or give another one"
              .formatted(e.line(), e.text()),
          e);
    }
  }

  /**
   * Returns the text that the template makes.
   *
   * @param variables by name; these and the functions of the language are all that it sees
   * @param now what {@code strftime_now} tells
   * @throws ClusterException INVALID_REQUEST if the template refuses the variables, then the
   *     message is the template's own; or if it cannot use them or exceeds its limits, then the
   *     message names the line
   */
  public String render(Map<String, JsonNode> variables, LocalDateTime now) {
    RenderBudget budget = new RenderBudget();
    Executor executor = new Executor(budget, now);
    Scope functions = new Scope(null);
    Functions.define(functions);
    Scope scope = new Scope(functions);
    JsonValues values = new JsonValues(budget);
    try {
      variables.forEach((name, value) -> scope.set(name, values.of(value)));
      return executor.render(statements, scope);
    } catch (TemplateFailure e) {
      String message =
          e.isRaised()
              ? e.text()
              : "chat template, line %d: %s".formatted(executor.line(), e.text());
      throw new ClusterException(ErrorCode.INVALID_REQUEST, message, e);
    }
  }
}
