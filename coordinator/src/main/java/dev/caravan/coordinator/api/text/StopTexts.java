package dev.caravan.coordinator.api.text;

import java.util.List;

/**
 * Lets text through up to the first stop text. What may be the beginning of one is held back until
 * that is known. Confined to one generation.
 *
 * <p>What comes through does not depend on how the text is cut into pieces: the stop text that is
 * complete first wins, of several that end together the longest.
 */
final class StopTexts {
  private final List<String> stops;
  private final StringBuilder held = new StringBuilder();
  private boolean found;

  /**
   * @param stops none of them empty
   */
  StopTexts(List<String> stops) {
    this.stops = List.copyOf(stops);
  }

  /** Takes the next piece and returns what may be shown now, often less or more than the piece. */
  String accept(String piece) {
    int scanned = held.length();
    held.append(piece);
    for (int end = scanned + 1; end <= held.length(); end++) {
      int start = stopEndingAt(end);
      if (start >= 0) {
        found = true;
        return take(start);
      }
    }
    return take(held.length() - longestBeginning());
  }

  /** Returns true if a stop text was found; nothing more is to be accepted then. */
  boolean found() {
    return found;
  }

  /** Ends the text: returns what was held back. */
  String flush() {
    return take(held.length());
  }

  private int stopEndingAt(int end) {
    int first = -1;
    for (String stop : stops) {
      int start = end - stop.length();
      if (start >= 0 && endsWith(end, stop, stop.length()) && (first < 0 || start < first)) {
        first = start;
      }
    }
    return first;
  }

  /** Returns the length of the longest end of the held text that a stop text begins with. */
  private int longestBeginning() {
    int longest = 0;
    for (String stop : stops) {
      for (int n = Math.min(stop.length() - 1, held.length()); n > longest; n--) {
        if (endsWith(held.length(), stop, n)) {
          longest = n;
        }
      }
    }
    return longest;
  }

  private boolean endsWith(int end, String stop, int length) {
    for (int i = 0; i < length; i++) {
      if (held.charAt(end - length + i) != stop.charAt(i)) {
        return false;
      }
    }
    return true;
  }

  private String take(int length) {
    String text = held.substring(0, length);
    held.delete(0, length);
    return text;
  }
}
