package dev.caravan.coordinator.text.template;

import java.math.BigInteger;

/** The tests that stand behind {@code is}. Confined to one rendering. */
final class Tests {
  private final Printer printer;
  private final Comparisons comparisons;

  Tests(RenderBudget budget) {
    this.printer = new Printer(budget);
    this.comparisons = new Comparisons(budget);
  }

  /**
   * Returns whether a value is what the test says.
   *
   * @throws TemplateFailure if there is no such test or the arguments do not fit it
   */
  boolean holds(String name, Value value, Arguments arguments) {
    return switch (name) {
      case "eq", "equalto" -> compare(Comparisons.Operator.EQUAL, name, value, arguments);
      case "ne" -> compare(Comparisons.Operator.NOT_EQUAL, name, value, arguments);
      case "lt", "lessthan" -> compare(Comparisons.Operator.LESS, name, value, arguments);
      case "le" -> compare(Comparisons.Operator.LESS_EQUAL, name, value, arguments);
      case "gt", "greaterthan" -> compare(Comparisons.Operator.GREATER, name, value, arguments);
      case "ge" -> compare(Comparisons.Operator.GREATER_EQUAL, name, value, arguments);
      case "in" -> compare(Comparisons.Operator.IN, name, value, arguments);
      case "sameas" -> isSame(value, arguments.bind(name, "other").value(0));
      case "divisibleby" -> isDivisible(value, arguments.bind(name, "num").value(0));
      default -> {
        arguments.bind(name);
        yield isOfKind(name, value);
      }
    };
  }

  private boolean compare(
      Comparisons.Operator operator, String name, Value value, Arguments arguments) {
    return comparisons.holds(operator, value, arguments.bind(name, "other").value(0));
  }

  /** Tests without arguments. */
  private boolean isOfKind(String name, Value value) {
    return switch (name) {
      case "defined" -> !(value instanceof Value.Undefined);
      case "undefined" -> value instanceof Value.Undefined;
      case "none" -> value == Value.None.NONE;
      case "boolean" -> value instanceof Value.Bool;
      case "true" -> value == Value.Bool.TRUE;
      case "false" -> value == Value.Bool.FALSE;
      case "integer" -> value instanceof Value.Int;
      case "float" -> value instanceof Value.Float;
      case "number" -> Numbers.isNumber(value);
      case "string" -> value instanceof Value.Text;
      case "mapping" -> value instanceof Value.Mapping;
      case "iterable" -> Iteration.isIterable(value);
      case "sequence" -> isSequence(value);
      case "callable" -> value instanceof Value.Callable;
      case "odd" -> isDivisible(value, Value.Int.of(2), 1);
      case "even" -> isDivisible(value, Value.Int.of(2), 0);
      case "lower" -> TextMethods.isLower(printer.text(value));
      case "upper" -> TextMethods.isUpper(printer.text(value));
      default -> throw TemplateFailure.of("no test is named '%s'".formatted(name));
    };
  }

  /** Whatever has a length and items, mappings among it. */
  private static boolean isSequence(Value value) {
    return switch (value) {
      case Value.Text t -> true;
      case Value.Mapping m -> true;
      case Value.Undefined u -> true;
      case Value.Items items -> items.kind() == Value.Kind.LIST || items.kind() == Value.Kind.TUPLE;
      default -> false;
    };
  }

  private static boolean isSame(Value value, Value other) {
    return switch (value) {
      case Value.Int i -> value.equals(other);
      case Value.Text t -> value.equals(other);
      default -> value == other;
    };
  }

  private static boolean isDivisible(Value value, Value by) {
    return isDivisible(value, by, 0);
  }

  private static boolean isDivisible(Value value, Value by, int rest) {
    BigInteger divisor = Numbers.integer(by);
    if (divisor.signum() == 0) {
      throw TemplateFailure.of("division by zero");
    }
    return Numbers.integer(value).mod(divisor.abs()).equals(BigInteger.valueOf(rest));
  }
}
