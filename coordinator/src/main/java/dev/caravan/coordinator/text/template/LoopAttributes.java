package dev.caravan.coordinator.text.template;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the variable {@code loop} says about a loop. */
final class LoopAttributes {
  private LoopAttributes() {}

  /** Returns an attribute; null if loops have none of that name. */
  static @Nullable Value get(Value.Loop loop, String name) {
    int index = loop.index;
    int size = loop.items.size();
    return switch (name) {
      case "index" -> Value.Int.of(index + 1L);
      case "index0" -> Value.Int.of(index);
      case "revindex" -> Value.Int.of((long) size - index);
      case "revindex0" -> Value.Int.of(size - index - 1L);
      case "first" -> Value.Bool.of(index == 0);
      case "last" -> Value.Bool.of(index == size - 1);
      case "length" -> Value.Int.of(size);
      case "depth" -> Value.Int.of(1);
      case "depth0" -> Value.Int.of(0);
      case "previtem" ->
          index > 0 ? loop.items.get(index - 1) : new Value.Undefined("there is no previous item");
      case "nextitem" ->
          index < size - 1
              ? loop.items.get(index + 1)
              : new Value.Undefined("there is no next item");
      case "cycle", "changed" -> new Value.Method(loop, name);
      default -> null;
    };
  }

  /** Calls a method of a loop. */
  static Value call(Value.Loop loop, String name, List<Value> values, Comparisons comparisons) {
    if (name.equals("cycle")) {
      if (values.isEmpty()) {
        throw TemplateFailure.of("no items for cycling given");
      }
      return values.get(loop.index % values.size());
    }
    Value.Items now = Value.Items.of(Value.Kind.TUPLE, values);
    Value.Items before = loop.lastChanged;
    loop.lastChanged = now;
    return Value.Bool.of(before == null || !comparisons.equal(before, now));
  }
}
