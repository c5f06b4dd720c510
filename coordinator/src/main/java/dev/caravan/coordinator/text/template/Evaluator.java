package dev.caravan.coordinator.text.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Computes expressions. Confined to one rendering. */
final class Evaluator {
  /** Runs macros, which the evaluator knows nothing of. */
  interface MacroCaller {
    Value call(Value.MacroValue macro, Arguments arguments);
  }

  private final RenderBudget budget;
  private final Functions functions;
  private final MacroCaller macros;
  private final Arithmetic arithmetic;
  private final Comparisons comparisons;
  private final Subscripts subscripts;
  private final Printer printer;
  private final Tests tests;
  private final Filters filters;
  private int line = 1;

  Evaluator(RenderBudget budget, Functions functions, MacroCaller macros) {
    this.budget = budget;
    this.functions = functions;
    this.macros = macros;
    this.arithmetic = new Arithmetic(budget);
    this.comparisons = new Comparisons(budget);
    this.subscripts = new Subscripts(budget);
    this.printer = new Printer(budget);
    this.tests = new Tests(budget);
    this.filters = new Filters(budget, tests);
  }

  /** The line that is being computed, for errors. */
  int line() {
    return line;
  }

  /** Says which line is being computed. */
  void at(int newLine) {
    line = newLine;
  }

  boolean isTrue(Expression expression, Scope scope) {
    return Types.isTrue(evaluate(expression, scope));
  }

  /**
   * Returns the value of an expression.
   *
   * @throws TemplateFailure if it has none
   */
  Value evaluate(Expression expression, Scope scope) {
    budget.enter();
    budget.step();
    line = expression.line();
    Value value = compute(expression, scope);
    budget.leave();
    return value;
  }

  private Value compute(Expression expression, Scope scope) {
    return switch (expression) {
      case Expression.Literal literal -> literal.value();
      case Expression.Name name -> scope.get(name.name());
      case Expression.ItemsDisplay display ->
          Value.Items.of(display.kind(), evaluate(display.elements(), scope));
      case Expression.MappingDisplay display -> mapping(display, scope);
      case Expression.Not not -> Value.Bool.of(!isTrue(not.operand(), scope));
      case Expression.Signed signed -> signed(signed, scope);
      case Expression.Binary binary ->
          arithmetic.compute(
              binary.operator(), evaluate(binary.left(), scope), evaluate(binary.right(), scope));
      case Expression.Concatenation concatenation -> concatenation(concatenation, scope);
      case Expression.Comparison comparison -> comparison(comparison, scope);
      case Expression.Logical logical -> logical(logical, scope);
      case Expression.Conditional conditional -> conditional(conditional, scope);
      case Expression.Attribute attribute ->
          subscripts.attribute(evaluate(attribute.target(), scope), attribute.name());
      case Expression.Subscript subscript ->
          subscripts.item(evaluate(subscript.target(), scope), evaluate(subscript.index(), scope));
      case Expression.Slice slice -> slice(slice, scope);
      case Expression.Call call ->
          call(evaluate(call.target(), scope), arguments(call.inputs(), scope), call);
      case Expression.Filter filter ->
          filters.apply(
              filter.name(), evaluate(filter.target(), scope), arguments(filter.inputs(), scope));
      case Expression.Test test ->
          Value.Bool.of(
              tests.holds(
                  test.name(), evaluate(test.target(), scope), arguments(test.inputs(), scope)));
    };
  }

  private List<Value> evaluate(List<Expression> expressions, Scope scope) {
    List<Value> values = new ArrayList<>(expressions.size());
    for (Expression expression : expressions) {
      values.add(evaluate(expression, scope));
    }
    return values;
  }

  private Arguments arguments(Expression.Inputs inputs, Scope scope) {
    if (inputs.positional().isEmpty() && inputs.named().isEmpty()) {
      return Arguments.NONE;
    }
    Map<String, Value> named = new LinkedHashMap<>();
    inputs.named().forEach((name, expression) -> named.put(name, evaluate(expression, scope)));
    return new Arguments(evaluate(inputs.positional(), scope), named);
  }

  private Value mapping(Expression.MappingDisplay display, Scope scope) {
    Map<Object, Value> entries = new LinkedHashMap<>();
    for (Expression.Pair pair : display.pairs()) {
      Object key = Value.Mapping.key(evaluate(pair.key(), scope));
      entries.put(key, evaluate(pair.value(), scope));
    }
    return Value.Mapping.of(entries);
  }

  private Value signed(Expression.Signed signed, Scope scope) {
    return switch (evaluate(signed.operand(), scope)) {
      case Value.Float number -> signed.negative() ? new Value.Float(-number.value()) : number;
      case Value.Undefined undefined -> throw undefined.failure();
      case Value value ->
          new Value.Int(
              signed.negative() ? Numbers.integer(value).negate() : Numbers.integer(value));
    };
  }

  private Value concatenation(Expression.Concatenation concatenation, Scope scope) {
    TextBuilder text = new TextBuilder(budget);
    for (Expression part : concatenation.parts()) {
      text.append(printer.text(evaluate(part, scope)));
    }
    return new Value.Text(text.toString());
  }

  private Value comparison(Expression.Comparison comparison, Scope scope) {
    Value left = evaluate(comparison.first(), scope);
    for (Expression.Comparand comparand : comparison.rest()) {
      Value right = evaluate(comparand.operand(), scope);
      if (!comparisons.holds(comparand.operator(), left, right)) {
        return Value.Bool.FALSE;
      }
      left = right;
    }
    return Value.Bool.TRUE;
  }

  private Value logical(Expression.Logical logical, Scope scope) {
    Value left = evaluate(logical.left(), scope);
    return Types.isTrue(left) == logical.conjunction() ? evaluate(logical.right(), scope) : left;
  }

  private Value conditional(Expression.Conditional conditional, Scope scope) {
    if (isTrue(conditional.condition(), scope)) {
      return evaluate(conditional.then(), scope);
    }
    Expression otherwise = conditional.otherwise();
    return otherwise == null
        ? new Value.Undefined("the condition is false and there is no else")
        : evaluate(otherwise, scope);
  }

  private Value slice(Expression.Slice slice, Scope scope) {
    Value target = evaluate(slice.target(), scope);
    Expression.Bounds bounds = slice.bounds();
    return subscripts.slice(
        target,
        bound(bounds.start(), scope),
        bound(bounds.stop(), scope),
        bound(bounds.step(), scope));
  }

  private Value bound(@Nullable Expression bound, Scope scope) {
    return bound == null ? Value.None.NONE : evaluate(bound, scope);
  }

  private Value call(Value target, Arguments arguments, Expression.Call call) {
    line = call.line();
    return switch (target) {
      case Value.Method method -> functions.call(method, arguments);
      case Value.Global function -> functions.call(function, arguments);
      case Value.MacroValue macro -> macros.call(macro, arguments);
      case Value.Undefined undefined -> throw undefined.failure();
      default ->
          throw TemplateFailure.of("'%s' object is not callable".formatted(Types.name(target)));
    };
  }
}
