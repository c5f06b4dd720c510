package dev.caravan.coordinator.text.template;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Attributes, items and slices of values. Confined to one rendering.
 *
 * <p>As in jinja2 {@code a.b} and {@code a['b']} both find attributes and items; they differ in
 * what they look for first. What is not there is undefined, not an error.
 */
final class Subscripts {
  private final RenderBudget budget;

  Subscripts(RenderBudget budget) {
    this.budget = budget;
  }

  /** Returns {@code target.name}. */
  Value attribute(Value target, String name) {
    if (target instanceof Value.Undefined undefined) {
      throw undefined.failure();
    }
    Value own = ownAttribute(target, name);
    if (own != null) {
      return own;
    }
    Value item = target instanceof Value.Mapping mapping ? mapping.entries().get(name) : null;
    return item == null ? missing(target, "attribute '%s'".formatted(name)) : item;
  }

  /** Returns {@code target[index]}. */
  Value item(Value target, Value index) {
    budget.step();
    if (target instanceof Value.Undefined undefined) {
      throw undefined.failure();
    }
    if (index instanceof Value.Undefined undefined) {
      throw undefined.failure();
    }
    Value item = ownItem(target, index);
    if (item == null && index instanceof Value.Text name) {
      item = ownAttribute(target, name.value());
    }
    if (item != null) {
      return item;
    }
    return missing(
        target,
        index instanceof Value.Text name
            ? "attribute '%s'".formatted(name.value())
            : "element " + new Printer(budget).text(index));
  }

  private @Nullable Value ownItem(Value target, Value index) {
    if (target instanceof Value.Mapping mapping) {
      return mapping.get(index);
    }
    if (!Numbers.isInteger(index)) {
      return null;
    }
    BigInteger number = Numbers.integer(index);
    if (number.bitLength() >= Integer.SIZE) {
      return null;
    }
    int at = number.intValue();
    if (target instanceof Value.Items items && isIndexed(items)) {
      int size = items.values().size();
      int from = at < 0 ? at + size : at;
      return from >= 0 && from < size ? items.values().get(from) : null;
    }
    return target instanceof Value.Text text ? character(text.value(), at) : null;
  }

  /** Returns the code point at an index, which counts from the end if it is negative. */
  private Value.@Nullable Text character(String text, int at) {
    budget.search(text, "");
    int length = text.codePointCount(0, text.length());
    int from = at < 0 ? at + length : at;
    if (from < 0 || from >= length) {
      return null;
    }
    return new Value.Text(Character.toString(text.codePointAt(text.offsetByCodePoints(0, from))));
  }

  private static boolean isIndexed(Value.Items items) {
    return items.kind() == Value.Kind.LIST || items.kind() == Value.Kind.TUPLE;
  }

  private static @Nullable Value ownAttribute(Value target, String name) {
    return switch (target) {
      case Value.Namespace namespace -> namespace.attributes.get(name);
      case Value.Loop loop -> LoopAttributes.get(loop, name);
      default -> methods(target).contains(name) ? new Value.Method(target, name) : null;
    };
  }

  private static Set<String> methods(Value target) {
    return switch (target) {
      case Value.Text t -> TextMethods.NAMES;
      case Value.Mapping m -> CollectionMethods.MAPPING_NAMES;
      case Value.Items items when isIndexed(items) -> CollectionMethods.LIST_NAMES;
      default -> Set.of();
    };
  }

  private static Value.Undefined missing(Value target, String what) {
    String owner = target == Value.None.NONE ? "None" : "'" + Types.name(target) + " object'";
    return new Value.Undefined("%s has no %s".formatted(owner, what));
  }

  /** Returns {@code target[start:stop:step]}; a missing bound is None. */
  Value slice(Value target, Value start, Value stop, Value step) {
    return switch (target) {
      case Value.Undefined undefined -> throw undefined.failure();
      case Value.Text text -> {
        budget.text(text.value().length());
        int[] characters = text.value().codePoints().toArray();
        StringBuilder sliced = new StringBuilder();
        for (int index : indices(characters.length, start, stop, step)) {
          sliced.appendCodePoint(characters[index]);
        }
        yield new Value.Text(sliced.toString());
      }
      case Value.Items items when isIndexed(items) -> {
        List<Value> sliced = new ArrayList<>();
        for (int index : indices(items.values().size(), start, stop, step)) {
          sliced.add(items.values().get(index));
        }
        yield Value.Items.of(items.kind(), sliced);
      }
      default ->
          throw TemplateFailure.of(
              "'%s' object is not subscriptable".formatted(Types.name(target)));
    };
  }

  private int[] indices(int length, Value start, Value stop, Value step) {
    int by = step == Value.None.NONE ? 1 : Numbers.nearestInt(step);
    if (by == 0) {
      throw TemplateFailure.of("slice step cannot be zero");
    }
    int first = by > 0 ? 0 : -1;
    int last = by > 0 ? length : length - 1;
    long from = bound(start, length, by > 0 ? first : last, first, last);
    long to = bound(stop, length, by > 0 ? last : first, first, last);
    long span = by > 0 ? to - from : from - to;
    long stride = Math.abs((long) by);
    int count = span <= 0 ? 0 : (int) ((span - 1) / stride + 1);
    budget.steps(1 + count / 16);
    int[] indices = new int[count];
    for (int i = 0; i < count; i++) {
      indices[i] = (int) (from + (long) i * by);
    }
    return indices;
  }

  private static int bound(Value bound, int length, int whenMissing, int first, int last) {
    if (bound == Value.None.NONE) {
      return whenMissing;
    }
    if (!Numbers.isInteger(bound)) {
      throw TemplateFailure.of("slice indices must be integers or None, not " + Types.name(bound));
    }
    long at = Numbers.nearestInt(bound);
    return (int) Math.clamp(at < 0 ? at + length : at, first, last);
  }
}
