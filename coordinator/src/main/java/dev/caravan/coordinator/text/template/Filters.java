package dev.caravan.coordinator.text.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import org.jspecify.annotations.Nullable;

/** The filters that stand behind {@code |}: finds each by its name. Confined to one rendering. */
final class Filters {
  private final RenderBudget budget;
  private final TextFilters texts;
  private final ItemFilters items;
  private final Iteration iteration;

  Filters(RenderBudget budget, Tests tests) {
    this.budget = budget;
    this.texts = new TextFilters(budget);
    this.items = new ItemFilters(budget, tests, this);
    this.iteration = new Iteration(budget);
  }

  /**
   * Returns what a filter makes of a value.
   *
   * @throws TemplateFailure if there is no such filter or it cannot take the value
   */
  Value apply(String name, Value value, Arguments arguments) {
    // A filter may name further ones: map('map', ...).
    budget.enter();
    Value result =
        switch (name) {
          case "default", "d" -> fallback(value, arguments);
          case "length", "count" -> {
            arguments.bind(name);
            yield Value.Int.of(iteration.length(value));
          }
          case "tojson" -> json(value, arguments);
          case "abs" -> absolute(value, arguments);
          case "int" -> integer(value, arguments);
          case "float" -> real(value, arguments);
          case "round" -> rounded(value, arguments);
          case "trim",
              "upper",
              "lower",
              "title",
              "capitalize",
              "replace",
              "indent",
              "string",
              "safe" ->
              texts.apply(name, value, arguments);
          default -> items.apply(name, value, arguments);
        };
    budget.leave();
    return result;
  }

  private static Value fallback(Value value, Arguments arguments) {
    Arguments.Bound bound = arguments.bind("default", "default_value", "boolean");
    boolean replaces =
        value instanceof Value.Undefined || (bound.flag(1, false) && !Types.isTrue(value));
    return replaces ? bound.value(0, Value.Text.EMPTY) : value;
  }

  /** Takes the arguments that chat templates may give it, not those of plain jinja2. */
  private Value json(Value value, Arguments arguments) {
    Arguments.Bound bound =
        arguments.bind("tojson", "ensure_ascii", "indent", "separators", "sort_keys");
    String indent = indent(bound.value(1, Value.None.NONE));
    JsonPrinter.Separators separators =
        separators(bound.value(2, Value.None.NONE), indent == null ? ", " : ",");
    JsonPrinter.Layout layout =
        new JsonPrinter.Layout(bound.flag(0, false), indent, separators, bound.flag(3, false));
    return new Value.Text(new JsonPrinter(budget, layout).print(value));
  }

  private @Nullable String indent(Value value) {
    if (value == Value.None.NONE) {
      return null;
    }
    if (value instanceof Value.Text text) {
      return text.value();
    }
    int spaces = Math.max(0, Numbers.nearestInt(value));
    budget.text(spaces);
    return " ".repeat(spaces);
  }

  private static JsonPrinter.Separators separators(Value value, String item) {
    if (value == Value.None.NONE) {
      return new JsonPrinter.Separators(item, ": ");
    }
    if (value instanceof Value.Items pair
        && pair.values().size() == 2
        && pair.values().getFirst() instanceof Value.Text first
        && pair.values().getLast() instanceof Value.Text second) {
      return new JsonPrinter.Separators(first.value(), second.value());
    }
    throw TemplateFailure.of("argument 'separators' of tojson is not a pair of texts");
  }

  private static Value absolute(Value value, Arguments arguments) {
    arguments.bind("abs");
    return value instanceof Value.Float number
        ? new Value.Float(Math.abs(number.value()))
        : new Value.Int(Numbers.integer(value).abs());
  }

  private static Value integer(Value value, Arguments arguments) {
    Arguments.Bound bound = arguments.bind("int", "default", "base");
    BigInteger number =
        switch (value) {
          case Value.Undefined undefined -> throw undefined.failure();
          case Value.Text text -> parsed(text.value(), bound.integer(1, 10));
          case Value.Float real -> truncated(real.value());
          default -> Numbers.isInteger(value) ? Numbers.integer(value) : null;
        };
    return number == null ? bound.value(0, Value.Int.of(0)) : Numbers.bounded(number);
  }

  private static @Nullable BigInteger parsed(String text, int base) {
    String digits = TextMethods.strip(text, null, true, true).replace("_", "");
    if (digits.length() > 1000) {
      return null;
    }
    if (base == 16 && digits.regionMatches(true, 0, "0x", 0, 2)) {
      digits = digits.substring(2);
    }
    try {
      return new BigInteger(digits, Math.clamp(base, Character.MIN_RADIX, Character.MAX_RADIX));
    } catch (NumberFormatException e) {
      Double real = realOf(text);
      return real == null ? null : truncated(real);
    }
  }

  private static @Nullable BigInteger truncated(double number) {
    return Double.isFinite(number) ? new BigDecimal(number).toBigInteger() : null;
  }

  private static @Nullable Double realOf(String text) {
    String digits = TextMethods.strip(text, null, true, true);
    boolean plain =
        digits.length() <= 1000
            && digits.chars().allMatch(c -> (c >= '0' && c <= '9') || "+-.eE".indexOf(c) >= 0);
    try {
      return plain ? Double.valueOf(digits) : null;
    } catch (NumberFormatException e) {
      return null;
    }
  }

  private static Value real(Value value, Arguments arguments) {
    Arguments.Bound bound = arguments.bind("float", "default");
    Double number =
        switch (value) {
          case Value.Undefined undefined -> throw undefined.failure();
          case Value.Text text -> realOf(text.value());
          default -> Numbers.isNumber(value) ? Double.valueOf(Numbers.real(value)) : null;
        };
    return number == null ? bound.value(0, new Value.Float(0)) : new Value.Float(number);
  }

  private static Value rounded(Value value, Arguments arguments) {
    Arguments.Bound bound = arguments.bind("round", "precision", "method");
    int precision = bound.integer(0, 0);
    String method = bound.text(1, "common");
    if (method.equals("common")) {
      return Numbers.isInteger(value) && precision >= 0
          ? new Value.Int(Numbers.integer(value))
          : new Value.Float(Numbers.round(Numbers.real(value), precision));
    }
    double scale = Math.pow(10, precision);
    double scaled = Numbers.real(value) * scale;
    return switch (method) {
      case "ceil" -> new Value.Float(Math.ceil(scaled) / scale);
      case "floor" -> new Value.Float(Math.floor(scaled) / scale);
      default -> throw TemplateFailure.of("method must be common, ceil or floor");
    };
  }
}
