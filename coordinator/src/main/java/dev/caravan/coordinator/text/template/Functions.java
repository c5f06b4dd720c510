package dev.caravan.coordinator.text.template;

import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The functions that every template has, and the methods of values. Confined to one rendering. */
final class Functions {
  /** As jinja2's sandbox. */
  private static final int MAX_RANGE = 100_000;

  private final RenderBudget budget;
  private final LocalDateTime now;
  private final Printer printer;
  private final Comparisons comparisons;
  private final TextMethods texts;
  private final CollectionMethods collections;

  /**
   * @param now what {@code strftime_now} tells
   */
  Functions(RenderBudget budget, LocalDateTime now) {
    this.budget = budget;
    this.now = now;
    this.printer = new Printer(budget);
    this.comparisons = new Comparisons(budget);
    this.texts = new TextMethods(budget);
    this.collections = new CollectionMethods(budget);
  }

  /** Makes the functions known by their names. */
  static void define(Scope scope) {
    scope.set("range", Value.Global.RANGE);
    scope.set("dict", Value.Global.DICT);
    scope.set("namespace", Value.Global.NAMESPACE);
    scope.set("raise_exception", Value.Global.RAISE_EXCEPTION);
    scope.set("strftime_now", Value.Global.STRFTIME_NOW);
  }

  Value call(Value.Method method, Arguments arguments) {
    return switch (method.receiver()) {
      case Value.Text text -> texts.call(text.value(), method.name(), arguments);
      case Value.Mapping mapping -> collections.call(mapping, method.name(), arguments);
      case Value.Items items -> collections.call(items, method.name(), arguments);
      case Value.Loop loop ->
          LoopAttributes.call(loop, method.name(), arguments.positional(), comparisons);
      default -> throw new IllegalStateException("no methods: " + Types.name(method.receiver()));
    };
  }

  Value call(Value.Global function, Arguments arguments) {
    return switch (function) {
      case RANGE -> range(arguments.bind("range", "start", "stop", "step"));
      case DICT -> dict(arguments);
      case NAMESPACE -> {
        Value.Namespace namespace = new Value.Namespace();
        dict(arguments)
            .entries()
            .forEach((key, value) ->
                namespace.attributes.put(printer.text(Value.Mapping.value(key)), value));
        yield namespace;
      }
      case RAISE_EXCEPTION ->
          throw TemplateFailure.raised(
              printer.text(arguments.bind("raise_exception", "message").value(0)));
      case STRFTIME_NOW -> {
        String format = arguments.bind("strftime_now", "format").text(0);
        yield new Value.Text(DateFormat.format(format, now, budget));
      }
    };
  }

  private Value range(Arguments.Bound bound) {
    long start = bound.has(1) ? bound.integer(0) : 0;
    long stop = bound.has(1) ? bound.integer(1) : bound.integer(0);
    long step = bound.integer(2, 1);
    if (step == 0) {
      throw TemplateFailure.of("range() arg 3 must not be zero");
    }
    long span = step > 0 ? stop - start : start - stop;
    long count = span <= 0 ? 0 : (span - 1) / Math.abs(step) + 1;
    if (count > MAX_RANGE) {
      throw TemplateFailure.of(
          "a range of %d numbers; at most %d are allowed".formatted(count, MAX_RANGE));
    }
    budget.steps(count);
    List<Value> numbers = new ArrayList<>((int) count);
    for (long i = 0; i < count; i++) {
      numbers.add(Value.Int.of(start + i * step));
    }
    return Value.Items.list(numbers);
  }

  private Value.Mapping dict(Arguments arguments) {
    Map<Object, Value> entries = new LinkedHashMap<>();
    if (!arguments.positional().isEmpty()) {
      Value first =
          new Arguments(arguments.positional(), Map.of()).bind("dict", "mapping").value(0);
      if (!(first instanceof Value.Mapping mapping)) {
        throw TemplateFailure.of("a mapping is needed, not a " + Types.name(first));
      }
      budget.steps(mapping.entries().size());
      entries.putAll(mapping.entries());
    }
    entries.putAll(arguments.named());
    return Value.Mapping.of(entries);
  }
}
