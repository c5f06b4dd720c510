package dev.caravan.coordinator.text.template;

import java.util.Map;

/** Writes values as Python's {@code str} and {@code repr}. Confined to one rendering. */
final class Printer {
  private final RenderBudget budget;

  Printer(RenderBudget budget) {
    this.budget = budget;
  }

  /** Returns what an output shows of a value. */
  String text(Value value) {
    return switch (value) {
      case Value.Text text -> text.value();
      case Value.Undefined u -> "";
      default -> {
        TextBuilder out = new TextBuilder(budget);
        repr(value, out);
        yield out.toString();
      }
    };
  }

  private void repr(Value value, TextBuilder out) {
    budget.step();
    switch (value) {
      case Value.None n -> out.append("None");
      case Value.Undefined u -> out.append("Undefined");
      case Value.Bool bool -> out.append(bool.isTrue() ? "True" : "False");
      case Value.Int number -> out.append(number.value().toString());
      case Value.Float number -> out.append(Numbers.repr(number.value()));
      case Value.Text text -> repr(text.value(), out);
      case Value.Items items -> items(items, out);
      case Value.Mapping mapping -> mapping(mapping, out);
      // Python shows an address here: there is no right text, but a template may ask.
      case Value.Namespace n -> out.append("<Namespace>");
      case Value.Loop l -> out.append("<LoopContext>");
      case Value.Callable c -> out.append("<function>");
    }
  }

  private void items(Value.Items items, TextBuilder out) {
    switch (items.kind()) {
      case LIST -> out.append('[');
      case TUPLE -> out.append('(');
      case VIEW -> out.append("dict_view([");
      case GENERATOR -> {
        out.append("<generator>");
        return;
      }
    }
    String separator = "";
    for (Value item : items.values()) {
      out.append(separator);
      repr(item, out);
      separator = ", ";
    }
    switch (items.kind()) {
      case LIST -> out.append(']');
      case TUPLE -> out.append(items.values().size() == 1 ? ",)" : ")");
      case VIEW -> out.append("])");
      case GENERATOR -> throw new IllegalStateException("returned above");
    }
  }

  private void mapping(Value.Mapping mapping, TextBuilder out) {
    out.append('{');
    String separator = "";
    for (Map.Entry<Object, Value> entry : mapping.entries().entrySet()) {
      out.append(separator);
      repr(Value.Mapping.value(entry.getKey()), out);
      out.append(": ");
      repr(entry.getValue(), out);
      separator = ", ";
    }
    out.append('}');
  }

  private static void repr(String text, TextBuilder out) {
    char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
    out.append(quote);
    int character;
    for (int i = 0; i < text.length(); i += Character.charCount(character)) {
      character = text.codePointAt(i);
      switch (character) {
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        default -> {
          if (character == quote) {
            out.append('\\').append(quote);
          } else if (Characters.isPrintable(character)) {
            out.append(Character.toString(character));
          } else {
            out.append(escaped(character));
          }
        }
      }
    }
    out.append(quote);
  }

  private static String escaped(int character) {
    if (character < 0x100) {
      return "\\x%02x".formatted(character);
    }
    return (character < 0x10000 ? "\\u%04x" : "\\U%08x").formatted(character);
  }
}
