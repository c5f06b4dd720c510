package dev.caravan.coordinator.text.template;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Filters that walk through items. Confined to one rendering. */
final class ItemFilters {
  private final RenderBudget budget;
  private final Tests tests;
  private final Filters filters;
  private final Printer printer;
  private final Iteration iteration;
  private final Comparisons comparisons;
  private final Arithmetic arithmetic;
  private final Subscripts subscripts;

  ItemFilters(RenderBudget budget, Tests tests, Filters filters) {
    this.budget = budget;
    this.tests = tests;
    this.filters = filters;
    this.printer = new Printer(budget);
    this.iteration = new Iteration(budget);
    this.comparisons = new Comparisons(budget);
    this.arithmetic = new Arithmetic(budget);
    this.subscripts = new Subscripts(budget);
  }

  Value apply(String name, Value value, Arguments arguments) {
    return switch (name) {
      case "select", "reject" -> selected(value, arguments, item -> item, name.equals("select"));
      case "selectattr", "rejectattr" -> {
        if (arguments.positional().isEmpty()) {
          throw TemplateFailure.of(name + " needs the name of an attribute");
        }
        UnaryOperator<Value> getter = getter(arguments.positional().getFirst());
        yield selected(value, arguments.without(1), getter, name.equals("selectattr"));
      }
      case "map" -> mapped(value, arguments);
      case "join" -> joined(value, arguments);
      case "sort" -> sorted(value, arguments);
      case "dictsort" -> sortedPairs(value, arguments);
      case "unique" -> unique(value, arguments);
      case "min", "max" -> extreme(name, value, arguments);
      case "sum" -> sum(value, arguments);
      default -> {
        arguments.bind(name);
        yield plain(name, value);
      }
    };
  }

  /** Filters without arguments. */
  private Value plain(String name, Value value) {
    return switch (name) {
      case "list" -> Value.Items.list(copy(value));
      case "first" -> {
        List<Value> items = iteration.items(value);
        yield items.isEmpty() ? empty("first item") : items.getFirst();
      }
      case "last" -> {
        List<Value> items = reversible(value);
        yield items.isEmpty() ? empty("last item") : items.getLast();
      }
      case "reverse" -> reversed(value);
      case "items" ->
          switch (value) {
            case Value.Undefined u -> Value.Items.of(Value.Kind.GENERATOR, List.of());
            case Value.Mapping mapping ->
                Value.Items.of(Value.Kind.GENERATOR, iteration.pairs(mapping));
            default -> throw TemplateFailure.of("Can only get item pairs from a mapping.");
          };
      default ->
          throw TemplateFailure.of(
              "the filter '%s' is unknown or not supported here".formatted(name));
    };
  }

  private static Value empty(String what) {
    return new Value.Undefined("No %s, sequence was empty.".formatted(what));
  }

  private List<Value> copy(Value value) {
    List<Value> items = iteration.items(value);
    budget.steps(items.size());
    return new ArrayList<>(items);
  }

  private List<Value> reversible(Value value) {
    if (value instanceof Value.Items items && items.kind() == Value.Kind.GENERATOR) {
      throw TemplateFailure.of("'generator' object is not reversible");
    }
    return iteration.items(value);
  }

  private Value reversed(Value value) {
    if (value instanceof Value.Text text) {
      int[] characters = text.value().codePoints().toArray();
      budget.text(text.value().length());
      StringBuilder reversed = new StringBuilder(text.value().length());
      for (int i = characters.length - 1; i >= 0; i--) {
        reversed.appendCodePoint(characters[i]);
      }
      return new Value.Text(reversed.toString());
    }
    List<Value> items = copy(value);
    Collections.reverse(items);
    return Value.Items.of(Value.Kind.GENERATOR, items);
  }

  /** Returns what gets the attribute of an item: {@code a.b}, an index, or the item for None. */
  private UnaryOperator<Value> getter(Value attribute) {
    return getter(attribute, null);
  }

  private UnaryOperator<Value> getter(Value attribute, @Nullable Value fallback) {
    return new AttributePath(attribute, fallback, subscripts);
  }

  /** Anything that counts as false has no items here, None among it. */
  private List<Value> some(Value value) {
    return Types.isTrue(value) ? iteration.items(value) : List.of();
  }

  private Value selected(
      Value value, Arguments arguments, UnaryOperator<Value> getter, boolean wanted) {
    List<Value> selected = new ArrayList<>();
    for (Value item : some(value)) {
      budget.step();
      if (holds(getter.apply(item), arguments) == wanted) {
        selected.add(item);
      }
    }
    return Value.Items.of(Value.Kind.GENERATOR, selected);
  }

  private boolean holds(Value value, Arguments arguments) {
    if (arguments.positional().isEmpty()) {
      return Types.isTrue(value);
    }
    if (!(arguments.positional().getFirst() instanceof Value.Text name)) {
      throw TemplateFailure.of("the name of a test is needed");
    }
    // Operators are tests here, as in select('>', 3).
    return switch (name.value()) {
      case "==" -> tests.holds("eq", value, arguments.without(1));
      case "!=" -> tests.holds("ne", value, arguments.without(1));
      case "<" -> tests.holds("lt", value, arguments.without(1));
      case "<=" -> tests.holds("le", value, arguments.without(1));
      case ">" -> tests.holds("gt", value, arguments.without(1));
      case ">=" -> tests.holds("ge", value, arguments.without(1));
      default -> tests.holds(name.value(), value, arguments.without(1));
    };
  }

  private Value mapped(Value value, Arguments arguments) {
    List<Value> mapped = new ArrayList<>();
    if (arguments.positional().isEmpty()) {
      Arguments.Bound bound = arguments.bind("map", "attribute", "default");
      Value none = Value.None.NONE;
      UnaryOperator<Value> getter =
          getter(bound.value(0), bound.value(1, none) == none ? null : bound.value(1));
      for (Value item : some(value)) {
        mapped.add(getter.apply(item));
      }
    } else if (arguments.positional().getFirst() instanceof Value.Text name) {
      for (Value item : some(value)) {
        budget.step();
        mapped.add(filters.apply(name.value(), item, arguments.without(1)));
      }
    } else {
      throw TemplateFailure.of("map needs the name of a filter");
    }
    return Value.Items.of(Value.Kind.GENERATOR, mapped);
  }

  private Value joined(Value value, Arguments arguments) {
    Arguments.Bound bound = arguments.bind("join", "d", "attribute");
    String separator = printer.text(bound.value(0, Value.Text.EMPTY));
    UnaryOperator<Value> getter = getter(bound.value(1, Value.None.NONE));
    TextBuilder joined = new TextBuilder(budget);
    String before = "";
    for (Value item : iteration.items(value)) {
      budget.step();
      joined.append(before).append(printer.text(getter.apply(item)));
      before = separator;
    }
    return new Value.Text(joined.toString());
  }

  /** Returns what is compared in place of a value: texts without their case, unless it counts. */
  private UnaryOperator<Value> caseless(boolean caseSensitive) {
    return value -> {
      if (caseSensitive || !(value instanceof Value.Text text)) {
        return value;
      }
      budget.text(text.value().length());
      return new Value.Text(text.value().toLowerCase(Locale.ROOT));
    };
  }

  private Value sorted(Value value, Arguments arguments) {
    Arguments.Bound bound = arguments.bind("sort", "reverse", "case_sensitive", "attribute");
    UnaryOperator<Value> getter = getter(bound.value(2, Value.None.NONE));
    UnaryOperator<Value> caseless = caseless(bound.flag(1, false));
    List<Value> items = copy(value);
    sort(items, item -> caseless.apply(getter.apply(item)), bound.flag(0, false));
    return Value.Items.list(items);
  }

  private Value sortedPairs(Value value, Arguments arguments) {
    Arguments.Bound bound = arguments.bind("dictsort", "case_sensitive", "by", "reverse");
    if (!(value instanceof Value.Mapping mapping)) {
      throw TemplateFailure.of("dictsort needs a mapping, not a " + Types.name(value));
    }
    int by = bound.text(1, "key").equals("value") ? 1 : 0;
    UnaryOperator<Value> caseless = caseless(bound.flag(0, false));
    List<Value> pairs = iteration.pairs(mapping);
    UnaryOperator<Value> key = pair -> caseless.apply(subscripts.item(pair, Value.Int.of(by)));
    sort(pairs, key, bound.flag(2, false));
    return Value.Items.list(pairs);
  }

  /** Sorts; equal items keep their order, also from the largest to the smallest. */
  private void sort(List<Value> items, UnaryOperator<Value> key, boolean reverse) {
    Comparator<Value> order = (a, b) -> comparisons.compare(key.apply(a), key.apply(b));
    items.sort(reverse ? order.reversed() : order);
  }

  private Value unique(Value value, Arguments arguments) {
    Arguments.Bound bound = arguments.bind("unique", "case_sensitive", "attribute");
    UnaryOperator<Value> getter = getter(bound.value(1, Value.None.NONE));
    UnaryOperator<Value> caseless = caseless(bound.flag(0, false));
    Set<Object> seen = new HashSet<>();
    List<Value> unique = new ArrayList<>();
    for (Value item : iteration.items(value)) {
      budget.step();
      if (seen.add(Value.Mapping.key(caseless.apply(getter.apply(item))))) {
        unique.add(item);
      }
    }
    return Value.Items.of(Value.Kind.GENERATOR, unique);
  }

  private Value extreme(String name, Value value, Arguments arguments) {
    Arguments.Bound bound = arguments.bind(name, "case_sensitive", "attribute");
    UnaryOperator<Value> getter = getter(bound.value(1, Value.None.NONE));
    UnaryOperator<Value> caseless = caseless(bound.flag(0, false));
    int sign = name.equals("min") ? 1 : -1;
    Value best = empty("aggregated item");
    boolean first = true;
    for (Value item : iteration.items(value)) {
      if (first
          || sign
                  * comparisons.compare(
                      caseless.apply(getter.apply(item)), caseless.apply(getter.apply(best)))
              < 0) {
        best = item;
      }
      first = false;
    }
    return best;
  }

  private Value sum(Value value, Arguments arguments) {
    Arguments.Bound bound = arguments.bind("sum", "attribute", "start");
    UnaryOperator<Value> getter = getter(bound.value(0, Value.None.NONE));
    Value sum = bound.value(1, Value.Int.of(0));
    for (Value item : iteration.items(value)) {
      budget.step();
      sum = arithmetic.compute(Arithmetic.Operator.ADD, sum, getter.apply(item));
    }
    return sum;
  }
}
