package dev.caravan.coordinator.text.template;

import java.util.Iterator;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Writes values as Python's {@code json.dumps}. Confined to one call. */
final class JsonPrinter {
  /**
   * How it is written.
   *
   * @param indent what each level is indented by; null for everything on one line
   * @param separators between items, and between a key and its value
   */
  record Layout(
      boolean onlyAscii, @Nullable String indent, Separators separators, boolean sortsKeys) {}

  /** What stands between items, and between a key and its value. */
  record Separators(String item, String key) {}

  private final RenderBudget budget;
  private final Layout layout;
  private final TextBuilder out;

  JsonPrinter(RenderBudget budget, Layout layout) {
    this.budget = budget;
    this.layout = layout;
    this.out = new TextBuilder(budget);
  }

  String print(Value value) {
    write(value, 0);
    return out.toString();
  }

  private void write(Value value, int level) {
    budget.step();
    switch (value) {
      case Value.None n -> out.append("null");
      case Value.Bool bool -> out.append(bool.isTrue() ? "true" : "false");
      case Value.Int number -> out.append(number.value().toString());
      case Value.Float number -> out.append(real(number.value()));
      case Value.Text text -> string(text.value());
      case Value.Items items when isWritable(items) -> items(items.values().iterator(), level);
      case Value.Mapping mapping -> mapping(mapping, level);
      default ->
          throw TemplateFailure.of(
              "Object of type %s is not JSON serializable".formatted(Types.name(value)));
    }
  }

  private static boolean isWritable(Value.Items items) {
    return items.kind() == Value.Kind.LIST || items.kind() == Value.Kind.TUPLE;
  }

  private void items(Iterator<Value> items, int level) {
    if (!items.hasNext()) {
      out.append("[]");
      return;
    }
    out.append('[');
    String before = "";
    while (items.hasNext()) {
      out.append(before);
      line(level + 1);
      write(items.next(), level + 1);
      before = layout.separators().item();
    }
    line(level);
    out.append(']');
  }

  private void mapping(Value.Mapping mapping, int level) {
    if (mapping.entries().isEmpty()) {
      out.append("{}");
      return;
    }
    Map<Object, Value> entries = layout.sortsKeys() ? sorted(mapping) : mapping.entries();
    out.append('{');
    String before = "";
    for (Map.Entry<Object, Value> entry : entries.entrySet()) {
      out.append(before);
      line(level + 1);
      string(key(entry.getKey()));
      out.append(layout.separators().key());
      write(entry.getValue(), level + 1);
      before = layout.separators().item();
    }
    line(level);
    out.append('}');
  }

  private Map<Object, Value> sorted(Value.Mapping mapping) {
    Comparisons comparisons = new Comparisons(budget);
    Map<Object, Value> sorted =
        new TreeMap<>((left, right) ->
            comparisons.compare(Value.Mapping.value(left), Value.Mapping.value(right)));
    sorted.putAll(mapping.entries());
    return sorted;
  }

  /** Keys are texts in JSON, whatever they were. */
  private static String key(Object key) {
    return switch (Value.Mapping.value(key)) {
      case Value.Text text -> text.value();
      case Value.Int number -> number.value().toString();
      case Value.Float number -> real(number.value());
      case Value.Bool bool -> bool.isTrue() ? "true" : "false";
      case Value.None n -> "null";
      default -> throw new IllegalStateException("not a key: " + key.getClass());
    };
  }

  private void line(int level) {
    String indent = layout.indent();
    if (indent != null) {
      out.append('\n');
      for (int i = 0; i < level; i++) {
        out.append(indent);
      }
    }
  }

  private static String real(double number) {
    if (Double.isNaN(number)) {
      return "NaN";
    }
    if (Double.isInfinite(number)) {
      return number > 0 ? "Infinity" : "-Infinity";
    }
    return Numbers.repr(number);
  }

  private void string(String text) {
    out.append('"');
    int plain = 0;
    for (int i = 0; i < text.length(); i++) {
      String escape = escape(text.charAt(i));
      if (escape != null) {
        out.append(text.substring(plain, i)).append(escape);
        plain = i + 1;
      }
    }
    out.append(text.substring(plain)).append('"');
  }

  private @Nullable String escape(char character) {
    return switch (character) {
      case '"' -> "\\\"";
      case '\\' -> "\\\\";
      case '\n' -> "\\n";
      case '\r' -> "\\r";
      case '\t' -> "\\t";
      case '\b' -> "\\b";
      case '\f' -> "\\f";
      default ->
          character < 0x20 || (layout.onlyAscii() && character > 0x7E)
              ? "\\u%04x".formatted((int) character)
              : null;
    };
  }
}
