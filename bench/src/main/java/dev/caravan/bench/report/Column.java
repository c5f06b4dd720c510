package dev.caravan.bench.report;

import java.util.Locale;

/**
 * A column of a {@link ResultTable}.
 *
 * @param key name in JSON, with the unit last
 * @param label heading for people, with the unit
 * @param decimals shown to people; JSON has all
 */
public record Column(String key, String label, int decimals) {

  /** A column of words or whole numbers. */
  public static Column of(String key, String label) {
    return new Column(key, label, 0);
  }

  /** Returns a cell as people read it; a dash where there is nothing to say. */
  String text(Object cell) {
    if (cell instanceof Double number) {
      return number.isNaN() ? "-" : String.format(Locale.ROOT, "%,." + decimals + "f", number);
    }
    return String.valueOf(cell);
  }
}
