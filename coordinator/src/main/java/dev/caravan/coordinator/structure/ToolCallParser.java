package dev.caravan.coordinator.structure;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Finds the tool calls in one answer while it is written. Confined to that answer.
 *
 * <p>The answer was kept in form by {@link ToolCalling#constraint}: it is text, or one or more of
 * {@code {"name": "get_weather", "parameters": {...}}}, separated by semicolons.
 */
public final class ToolCallParser {

  /** What comes next. */
  private enum Place {
    START,
    TEXT,
    NAME,
    PARAMETERS,
    ARGUMENTS,
    AFTER_CALL
  }

  private static final String WHITE_SPACE = " \t\n\r";
  private static final Pattern NAME = Pattern.compile("\\{\"name\": ?\"([^\"]*)\"");
  private static final Pattern PARAMETERS = Pattern.compile(", ?\"parameters\": ?(?=\\{)");

  private final Supplier<String> callIds;
  private final StringBuilder held = new StringBuilder();
  private Place place = Place.START;
  private int index = -1;
  private int depth;
  private boolean inString;
  private boolean escaped;

  /**
   * @param callIds gives each call its id
   */
  ToolCallParser(Supplier<String> callIds) {
    this.callIds = callIds;
  }

  /** Takes the next piece of text and returns what it adds, often nothing. */
  public List<OutputDelta> accept(String text) {
    List<OutputDelta> deltas = new ArrayList<>();
    held.append(text);
    while (!held.isEmpty() && advance(deltas)) {
      // goes on to the next place
    }
    return deltas;
  }

  /** Ends the answer: returns text that was held back. */
  public List<OutputDelta> end() {
    if (place != Place.START || held.isEmpty()) {
      return List.of();
    }
    return List.of(new OutputDelta.Content(take(held.length())));
  }

  /** Returns true if a call has begun. */
  public boolean hasCalls() {
    return index >= 0;
  }

  /** Returns false if more text is needed. */
  private boolean advance(List<OutputDelta> deltas) {
    return switch (place) {
      case START -> start();
      case TEXT -> {
        deltas.add(new OutputDelta.Content(take(held.length())));
        yield false;
      }
      case NAME -> {
        Matcher name = NAME.matcher(held);
        if (!name.lookingAt()) {
          yield false;
        }
        index++;
        deltas.add(new OutputDelta.CallStart(index, callIds.get(), name.group(1)));
        yield goTo(Place.PARAMETERS, name.end());
      }
      case PARAMETERS -> {
        Matcher parameters = PARAMETERS.matcher(held);
        yield parameters.lookingAt() && goTo(Place.ARGUMENTS, parameters.end());
      }
      case ARGUMENTS -> arguments(deltas);
      case AFTER_CALL -> {
        int next = held.indexOf("{");
        yield next >= 0 && goTo(Place.NAME, next);
      }
    };
  }

  private boolean start() {
    for (int i = 0; i < held.length(); i++) {
      char c = held.charAt(i);
      if (WHITE_SPACE.indexOf(c) < 0) {
        return c == '{' ? goTo(Place.NAME, i) : goTo(Place.TEXT, 0);
      }
    }
    return false;
  }

  private boolean arguments(List<OutputDelta> deltas) {
    int end = 0;
    do {
      scan(held.charAt(end));
      end++;
    } while (depth > 0 && end < held.length());
    deltas.add(new OutputDelta.CallArguments(index, take(end)));
    if (depth == 0) {
      place = Place.AFTER_CALL;
    }
    return true;
  }

  private void scan(char c) {
    if (inString) {
      if (!escaped && c == '"') {
        inString = false;
      }
      escaped = !escaped && c == '\\';
      return;
    }
    switch (c) {
      case '"' -> inString = true;
      case '{', '[' -> depth++;
      case '}', ']' -> depth--;
      default -> {}
    }
  }

  private boolean goTo(Place next, int skipped) {
    held.delete(0, skipped);
    place = next;
    return true;
  }

  private String take(int length) {
    String taken = held.substring(0, length);
    held.delete(0, length);
    return taken;
  }
}
