package dev.caravan.coordinator.text.template;

import java.util.List;
import java.util.Locale;

/** Filters that take anything as its text. Confined to one rendering. */
final class TextFilters {
  private final RenderBudget budget;
  private final Printer printer;
  private final TextSplitting splitting;

  TextFilters(RenderBudget budget) {
    this.budget = budget;
    this.printer = new Printer(budget);
    this.splitting = new TextSplitting(budget);
  }

  Value apply(String name, Value value, Arguments arguments) {
    if (name.equals("indent") && !(value instanceof Value.Text)) {
      throw TemplateFailure.of("indent needs a text, not a " + Types.name(value));
    }
    String text = printer.text(value);
    budget.text(text.length());
    return new Value.Text(
        switch (name) {
          case "trim" -> {
            String strips = arguments.bind(name, "chars").optionalText(0);
            budget.search(text, strips == null ? "" : strips);
            yield TextMethods.strip(text, strips, true, true);
          }
          case "replace" -> replaced(text, arguments);
          case "indent" -> indented(text, arguments);
          default -> {
            arguments.bind(name);
            yield plain(name, text);
          }
        });
  }

  private static String plain(String name, String text) {
    return switch (name) {
      case "upper" -> text.toUpperCase(Locale.ROOT);
      case "lower" -> text.toLowerCase(Locale.ROOT);
      case "capitalize" -> TextMethods.capitalize(text);
      case "title" -> titled(text);
      // Nothing is escaped in a prompt, so a safe text is a text.
      case "string", "safe" -> text;
      default -> throw new IllegalArgumentException("no text filter: " + name);
    };
  }

  /** Unlike the method of the same name it begins words at spaces and brackets only. */
  private static String titled(String text) {
    StringBuilder titled = new StringBuilder(text.length());
    boolean begins = true;
    for (int character : text.codePoints().toArray()) {
      titled.append(
          begins
              ? Character.toString(character).toUpperCase(Locale.ROOT)
              : Character.toString(character).toLowerCase(Locale.ROOT));
      begins = Characters.isSpace(character) || "-({[<".indexOf(character) >= 0;
    }
    return titled.toString();
  }

  private String replaced(String text, Arguments arguments) {
    Arguments.Bound bound = arguments.bind("replace", "old", "new", "count");
    Value count = bound.value(2, Value.None.NONE);
    return splitting.replace(
        text,
        printer.text(bound.value(0)),
        printer.text(bound.value(1)),
        count == Value.None.NONE ? -1 : Numbers.nearestInt(count));
  }

  private String indented(String text, Arguments arguments) {
    Arguments.Bound bound = arguments.bind("indent", "width", "first", "blank");
    String indent;
    if (bound.value(0, Value.Int.of(4)) instanceof Value.Text given) {
      indent = given.value();
    } else {
      int width = Math.max(0, bound.integer(0, 4));
      budget.text(width);
      indent = " ".repeat(width);
    }
    boolean blank = bound.flag(2, false);
    List<String> lines = splitting.lines(text + "\n");
    TextBuilder out = new TextBuilder(budget);
    out.append(bound.flag(1, false) ? indent : "").append(lines.getFirst());
    for (String line : lines.subList(1, lines.size())) {
      out.append('\n').append(blank || !line.isEmpty() ? indent : "").append(line);
    }
    return out.toString();
  }
}
