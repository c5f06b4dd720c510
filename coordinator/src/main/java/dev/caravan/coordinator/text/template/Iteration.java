package dev.caravan.coordinator.text.template;

import java.util.ArrayList;
import java.util.List;

/** Walking through values. Confined to one rendering. */
final class Iteration {
  private final RenderBudget budget;

  Iteration(RenderBudget budget) {
    this.budget = budget;
  }

  /** Returns the items of a list, the keys of a mapping or the characters of a text. */
  List<Value> items(Value value) {
    return switch (value) {
      case Value.Items items -> items.values();
      case Value.Mapping mapping -> keys(mapping);
      case Value.Text text -> characters(text.value());
      case Value.Undefined u -> List.of();
      default ->
          throw TemplateFailure.of("'%s' object is not iterable".formatted(Types.name(value)));
    };
  }

  static boolean isIterable(Value value) {
    return value instanceof Value.Items
        || value instanceof Value.Mapping
        || value instanceof Value.Text
        || value instanceof Value.Undefined;
  }

  /** Returns how many items there are, as Python's {@code len}. */
  int length(Value value) {
    return switch (value) {
      case Value.Items items when items.kind() != Value.Kind.GENERATOR -> items.values().size();
      case Value.Mapping mapping -> mapping.entries().size();
      case Value.Text text -> {
        budget.search(text.value(), "");
        yield text.value().codePointCount(0, text.value().length());
      }
      case Value.Undefined u -> 0;
      case Value.Loop loop -> loop.items.size();
      default ->
          throw TemplateFailure.of("object of type '%s' has no len()".formatted(Types.name(value)));
    };
  }

  /** Returns the keys of a mapping in their order. */
  List<Value> keys(Value.Mapping mapping) {
    budget.steps(mapping.entries().size());
    List<Value> keys = new ArrayList<>(mapping.entries().size());
    mapping.entries().keySet().forEach(key -> keys.add(Value.Mapping.value(key)));
    return keys;
  }

  /** Returns each key with its value. */
  List<Value> pairs(Value.Mapping mapping) {
    budget.steps(mapping.entries().size());
    List<Value> pairs = new ArrayList<>(mapping.entries().size());
    mapping
        .entries()
        .forEach((key, value) -> pairs.add(Value.Items.tuple(Value.Mapping.value(key), value)));
    return pairs;
  }

  private List<Value> characters(String text) {
    budget.steps(text.length());
    List<Value> characters = new ArrayList<>(text.length());
    text.codePoints().forEach(point -> characters.add(new Value.Text(Character.toString(point))));
    return characters;
  }
}
