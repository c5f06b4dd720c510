package dev.caravan.coordinator.text.template;

import java.util.List;
import java.util.Set;

/** Methods of mappings, lists and tuples; those that change them are refused. */
final class CollectionMethods {
  static final Set<String> MAPPING_NAMES =
      Set.of(
          "clear",
          "copy",
          "fromkeys",
          "get",
          "items",
          "keys",
          "pop",
          "popitem",
          "setdefault",
          "update",
          "values");

  static final Set<String> LIST_NAMES =
      Set.of(
          "append", "clear", "copy", "count", "extend", "index", "insert", "pop", "remove",
          "reverse", "sort");

  private final RenderBudget budget;
  private final Iteration iteration;
  private final Comparisons comparisons;

  CollectionMethods(RenderBudget budget) {
    this.budget = budget;
    this.iteration = new Iteration(budget);
    this.comparisons = new Comparisons(budget);
  }

  Value call(Value.Mapping mapping, String name, Arguments arguments) {
    return switch (name) {
      case "get" -> {
        Arguments.Bound bound = arguments.bind("get", "key", "default");
        Value value = mapping.get(bound.value(0));
        yield value == null ? bound.value(1, Value.None.NONE) : value;
      }
      case "items" -> view(name, iteration.pairs(mapping), arguments);
      case "keys" -> view(name, iteration.keys(mapping), arguments);
      case "values" -> {
        budget.steps(mapping.entries().size());
        yield view(name, List.copyOf(mapping.entries().values()), arguments);
      }
      case "copy" -> mapping;
      default -> throw refused("dict", name);
    };
  }

  private static Value view(String name, List<Value> values, Arguments arguments) {
    arguments.bind(name);
    return Value.Items.of(Value.Kind.VIEW, values);
  }

  Value call(Value.Items items, String name, Arguments arguments) {
    return switch (name) {
      case "count" -> {
        Value wanted = arguments.bind(name, "value").value(0);
        long count = items.values().stream().filter(v -> comparisons.equal(v, wanted)).count();
        yield Value.Int.of(count);
      }
      case "index" -> {
        Value wanted = arguments.bind(name, "value").value(0);
        for (int i = 0; i < items.values().size(); i++) {
          if (comparisons.equal(items.values().get(i), wanted)) {
            yield Value.Int.of(i);
          }
        }
        throw TemplateFailure.of("the value is not in the list");
      }
      case "copy" -> items;
      default -> throw refused(Types.name(items), name);
    };
  }

  private static TemplateFailure refused(String type, String name) {
    return TemplateFailure.of(
        "%s.%s is not allowed: a template cannot change its input".formatted(type, name));
  }
}
