package dev.caravan.coordinator.text.template;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Gets an attribute of an item, as filters name it. Confined to one rendering. */
final class AttributePath implements UnaryOperator<Value> {
  private static final Pattern INDEX = Pattern.compile("[0-9]{1,8}");

  private final List<Value> parts;
  private final @Nullable Value fallback;
  private final Subscripts subscripts;

  /**
   * @param attribute a text such as {@code a.b.0}, an index, or None for the item itself
   * @param fallback what stands for an undefined part; null to leave it
   */
  AttributePath(Value attribute, @Nullable Value fallback, Subscripts subscripts) {
    this.parts =
        switch (attribute) {
          case Value.None n -> List.of();
          case Value.Text text -> parts(text.value());
          default -> List.of(attribute);
        };
    this.fallback = fallback;
    this.subscripts = subscripts;
  }

  private static List<Value> parts(String attribute) {
    List<Value> parts = new ArrayList<>();
    for (String part : attribute.split("\\.", -1)) {
      boolean isIndex = INDEX.matcher(part).matches();
      parts.add(isIndex ? Value.Int.of(Integer.parseInt(part)) : new Value.Text(part));
    }
    return parts;
  }

  @Override
  public Value apply(Value item) {
    Value found = item;
    for (Value part : parts) {
      found = subscripts.item(found, part);
      found = found instanceof Value.Undefined && fallback != null ? fallback : found;
    }
    return found;
  }
}
