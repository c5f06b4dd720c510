package dev.caravan.coordinator.text.template;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Cutting texts and replacing parts of them. Confined to one rendering. */
final class TextSplitting {
  private final RenderBudget budget;

  TextSplitting(RenderBudget budget) {
    this.budget = budget;
  }

  /** Returns texts as a list. */
  Value.Items texts(List<String> texts) {
    budget.steps(texts.size());
    List<Value> values = new ArrayList<>(texts.size());
    texts.forEach(text -> values.add(new Value.Text(text)));
    return Value.Items.list(values);
  }

  /**
   * Splits at a separator, or at white space if it is null.
   *
   * @param most how often; -1 for everywhere
   * @param fromEnd whether the last places count first
   */
  Value.Items split(String text, @Nullable String separator, int most, boolean fromEnd) {
    if (separator == null) {
      return texts(fromEnd ? wordsFromEnd(text, most) : words(text, most));
    }
    if (separator.isEmpty()) {
      throw TemplateFailure.of("empty separator");
    }
    budget.search(text, separator);
    List<String> parts = new ArrayList<>();
    if (!fromEnd) {
      int from = 0;
      int at = text.indexOf(separator);
      while (at >= 0 && parts.size() != most) {
        parts.add(text.substring(from, at));
        from = at + separator.length();
        at = text.indexOf(separator, from);
      }
      parts.add(text.substring(from));
      return texts(parts);
    }
    int to = text.length();
    int at = text.lastIndexOf(separator);
    while (at >= 0 && parts.size() != most) {
      parts.add(text.substring(at + separator.length(), to));
      to = at;
      at = to < separator.length() ? -1 : text.lastIndexOf(separator, to - separator.length());
    }
    parts.add(text.substring(0, to));
    Collections.reverse(parts);
    return texts(parts);
  }

  private static List<String> words(String text, int most) {
    List<String> words = new ArrayList<>();
    String rest = Characters.stripStart(text);
    int from = text.length() - rest.length();
    while (from < text.length()) {
      if (words.size() == most) {
        words.add(text.substring(from));
        break;
      }
      int end = from;
      while (end < text.length() && !Characters.isSpace(text.charAt(end))) {
        end++;
      }
      words.add(text.substring(from, end));
      from = end;
      while (from < text.length() && Characters.isSpace(text.charAt(from))) {
        from++;
      }
    }
    return words;
  }

  private static List<String> wordsFromEnd(String text, int most) {
    List<String> words = new ArrayList<>();
    int end = Characters.stripEnd(text).length();
    while (end > 0) {
      if (words.size() == most) {
        words.add(text.substring(0, end));
        break;
      }
      int from = end;
      while (from > 0 && !Characters.isSpace(text.charAt(from - 1))) {
        from--;
      }
      words.add(text.substring(from, end));
      end = from;
      while (end > 0 && Characters.isSpace(text.charAt(end - 1))) {
        end--;
      }
    }
    Collections.reverse(words);
    return words;
  }

  /** Returns the lines without their ends. */
  List<String> lines(String text) {
    List<String> lines = new ArrayList<>();
    int from = 0;
    int at = 0;
    while (at < text.length()) {
      char character = text.charAt(at);
      if (Characters.isLineEnd(character)) {
        lines.add(text.substring(from, at));
        boolean pair = character == '\r' && at + 1 < text.length() && text.charAt(at + 1) == '\n';
        from = at + (pair ? 2 : 1);
        at = from;
      } else {
        at++;
      }
    }
    if (from < text.length()) {
      lines.add(text.substring(from));
    }
    budget.steps(lines.size());
    return lines;
  }

  /** Returns what is before a separator, the separator and what is after it. */
  Value partition(String text, String separator, boolean fromEnd) {
    if (separator.isEmpty()) {
      throw TemplateFailure.of("empty separator");
    }
    budget.search(text, separator);
    int at = fromEnd ? text.lastIndexOf(separator) : text.indexOf(separator);
    Value.Text whole = new Value.Text(text);
    if (at < 0) {
      return fromEnd
          ? Value.Items.tuple(Value.Text.EMPTY, Value.Text.EMPTY, whole)
          : Value.Items.tuple(whole, Value.Text.EMPTY, Value.Text.EMPTY);
    }
    return Value.Items.tuple(
        new Value.Text(text.substring(0, at)),
        new Value.Text(separator),
        new Value.Text(text.substring(at + separator.length())));
  }

  /**
   * Replaces a part wherever it is; an empty one is between all characters.
   *
   * @param most how often; -1 for everywhere
   */
  String replace(String text, String part, String by, int most) {
    budget.search(text, part);
    TextBuilder replaced = new TextBuilder(budget);
    int from = 0;
    int count = 0;
    int at = text.indexOf(part);
    while (at >= 0 && count != most) {
      replaced.append(text.substring(from, at)).append(by);
      from = at + part.length();
      count++;
      int next = part.isEmpty() ? afterCharacter(text, at) : from;
      at = next < 0 ? -1 : text.indexOf(part, next);
    }
    return replaced.append(text.substring(from)).toString();
  }

  private static int afterCharacter(String text, int at) {
    return at >= text.length() ? -1 : at + Character.charCount(text.codePointAt(at));
  }
}
