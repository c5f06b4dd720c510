package dev.caravan.coordinator.text.template;

import java.util.Locale;
import java.util.Set;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/** Methods of texts. Confined to one rendering. */
final class TextMethods {
  static final Set<String> NAMES =
      Set.of(
          "capitalize",
          "count",
          "endswith",
          "find",
          "index",
          "isalnum",
          "isalpha",
          "isdigit",
          "islower",
          "isspace",
          "isupper",
          "join",
          "lower",
          "lstrip",
          "partition",
          "removeprefix",
          "removesuffix",
          "replace",
          "rfind",
          "rpartition",
          "rsplit",
          "rstrip",
          "split",
          "splitlines",
          "startswith",
          "strip",
          "title",
          "upper",
          "zfill");

  private final RenderBudget budget;
  private final TextSplitting splitting;
  private final Iteration iteration;

  TextMethods(RenderBudget budget) {
    this.budget = budget;
    this.splitting = new TextSplitting(budget);
    this.iteration = new Iteration(budget);
  }

  Value call(String text, String name, Arguments arguments) {
    budget.text(text.length());
    return switch (name) {
      case "strip", "lstrip", "rstrip" -> {
        String strips = arguments.bind(name, "chars").optionalText(0);
        budget.search(text, strips == null ? "" : strips);
        yield text(strip(text, strips, !name.equals("rstrip"), !name.equals("lstrip")));
      }
      case "split", "rsplit" -> {
        Arguments.Bound bound = arguments.bind(name, "sep", "maxsplit");
        String separator = bound.optionalText(0);
        yield splitting.split(text, separator, bound.integer(1, -1), name.equals("rsplit"));
      }
      case "splitlines" -> {
        arguments.bind(name);
        yield splitting.texts(splitting.lines(text));
      }
      case "partition", "rpartition" ->
          splitting.partition(text, arguments.bind(name, "sep").text(0), name.startsWith("r"));
      case "join" -> join(text, arguments.bind(name, "iterable").value(0));
      case "startswith", "endswith" ->
          begins(text, arguments.bind(name, "affix").value(0), name.equals("startswith"));
      case "replace" -> {
        Arguments.Bound bound = arguments.bind(name, "old", "new", "count");
        yield text(splitting.replace(text, bound.text(0), bound.text(1), bound.integer(2, -1)));
      }
      case "find", "rfind", "index", "count" -> found(text, name, arguments);
      case "removeprefix", "removesuffix" -> {
        String affix = arguments.bind(name, "affix").text(0);
        yield text(without(text, affix, name.equals("removeprefix")));
      }
      case "zfill" -> zeroFilled(text, arguments.bind(name, "width").integer(0));
      default -> {
        arguments.bind(name);
        yield plain(text, name);
      }
    };
  }

  /** Methods without arguments. */
  private static Value plain(String text, String name) {
    return switch (name) {
      case "lower" -> text(text.toLowerCase(Locale.ROOT));
      case "upper" -> text(text.toUpperCase(Locale.ROOT));
      case "capitalize" -> text(capitalize(text));
      case "title" -> text(title(text));
      case "isdigit" -> all(text, Character::isDigit);
      case "isalpha" -> all(text, Character::isLetter);
      case "isalnum" -> all(text, Character::isLetterOrDigit);
      case "isspace" -> all(text, Characters::isSpace);
      case "islower" -> Value.Bool.of(isLower(text));
      case "isupper" -> Value.Bool.of(isUpper(text));
      default -> throw TemplateFailure.of("str.%s is not supported".formatted(name));
    };
  }

  private static Value.Text text(String text) {
    return new Value.Text(text);
  }

  private static Value all(String text, IntPredicate property) {
    return Value.Bool.of(!text.isEmpty() && text.codePoints().allMatch(property));
  }

  static boolean isLower(String text) {
    return text.codePoints().anyMatch(Character::isLowerCase)
        && text.codePoints().noneMatch(c -> Character.isUpperCase(c) || Character.isTitleCase(c));
  }

  static boolean isUpper(String text) {
    return text.codePoints().anyMatch(Character::isUpperCase)
        && text.codePoints().noneMatch(c -> Character.isLowerCase(c) || Character.isTitleCase(c));
  }

  static String capitalize(String text) {
    if (text.isEmpty()) {
      return text;
    }
    int rest = text.offsetByCodePoints(0, 1);
    return Character.toString(Character.toTitleCase(text.codePointAt(0)))
        + text.substring(rest).toLowerCase(Locale.ROOT);
  }

  private static String title(String text) {
    StringBuilder titled = new StringBuilder(text.length());
    boolean inWord = false;
    for (int character : text.codePoints().toArray()) {
      titled.appendCodePoint(
          inWord ? Character.toLowerCase(character) : Character.toTitleCase(character));
      inWord = Character.isLetter(character);
    }
    return titled.toString();
  }

  /** Removes characters (white space if null) at the ends. */
  static String strip(String text, @Nullable String strips, boolean start, boolean end) {
    int from = 0;
    int to = text.length();
    while (start && from < to && isStripped(text.codePointAt(from), strips)) {
      from += Character.charCount(text.codePointAt(from));
    }
    while (end && from < to && isStripped(text.codePointBefore(to), strips)) {
      to -= Character.charCount(text.codePointBefore(to));
    }
    return text.substring(from, to);
  }

  private static boolean isStripped(int character, @Nullable String strips) {
    return strips == null ? Characters.isSpace(character) : strips.indexOf(character) >= 0;
  }

  private Value join(String separator, Value values) {
    TextBuilder joined = new TextBuilder(budget);
    String before = "";
    for (Value value : iteration.items(values)) {
      if (!(value instanceof Value.Text text)) {
        throw TemplateFailure.of("str.join: every item must be a text, not " + Types.name(value));
      }
      budget.step();
      joined.append(before).append(text.value());
      before = separator;
    }
    return text(joined.toString());
  }

  private Value begins(String text, Value affix, boolean atStart) {
    if (affix instanceof Value.Items items && items.kind() == Value.Kind.TUPLE) {
      for (Value one : items.values()) {
        budget.step();
        if (Types.isTrue(begins(text, one, atStart))) {
          return Value.Bool.TRUE;
        }
      }
      return Value.Bool.FALSE;
    }
    if (!(affix instanceof Value.Text part)) {
      throw TemplateFailure.of(
          "startswith and endswith need a text or a tuple of texts, not " + Types.name(affix));
    }
    return Value.Bool.of(atStart ? text.startsWith(part.value()) : text.endsWith(part.value()));
  }

  private Value found(String text, String name, Arguments arguments) {
    String part = arguments.bind(name, "sub").text(0);
    budget.search(text, part);
    if (name.equals("count")) {
      int count = 0;
      if (part.isEmpty()) {
        return Value.Int.of(text.codePointCount(0, text.length()) + 1L);
      }
      for (int at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length())) {
        count++;
      }
      return Value.Int.of(count);
    }
    int at = name.equals("rfind") ? text.lastIndexOf(part) : text.indexOf(part);
    if (at < 0 && name.equals("index")) {
      throw TemplateFailure.of("substring not found");
    }
    return Value.Int.of(at < 0 ? -1 : text.codePointCount(0, at));
  }

  private static String without(String text, String affix, boolean atStart) {
    if (atStart) {
      return text.startsWith(affix) ? text.substring(affix.length()) : text;
    }
    return text.endsWith(affix) ? text.substring(0, text.length() - affix.length()) : text;
  }

  private Value zeroFilled(String text, int width) {
    int missing = Math.max(0, width - text.codePointCount(0, text.length()));
    budget.text(missing);
    boolean signed = text.startsWith("-") || text.startsWith("+");
    int digits = signed ? 1 : 0;
    return text(text.substring(0, digits) + "0".repeat(missing) + text.substring(digits));
  }
}
