package dev.caravan.coordinator.structure.schema;

import static dev.caravan.coordinator.structure.grammar.Node.bytes;
import static dev.caravan.coordinator.structure.grammar.Node.choice;
import static dev.caravan.coordinator.structure.grammar.Node.sequence;
import static dev.caravan.coordinator.structure.grammar.Node.text;

import com.fasterxml.jackson.databind.JsonNode;
import dev.caravan.coordinator.structure.grammar.Node;

/** Numbers of a schema, perhaps in a range. */
final class NumberGrammar {
  private static final long OUTSIDE = IntegerRange.LARGEST + 1;

  /** Of larger numbers a double does not tell the fractions from the next integer. */
  private static final long LARGEST_WITH_FRACTION = 9_999_999_999L;

  private static final Node FRACTION_OVER_ZERO =
      sequence(text("."), new Node.Repeat(JsonText.DIGIT, 0, 4), bytes("123456789"));

  private NumberGrammar() {}

  static Node integer(JsonNode schema, SchemaPlace place) {
    return Keywords.hasAny(schema, Keywords.NUMBER)
        ? integers(schema, place).node()
        : JsonText.INTEGER;
  }

  /**
   * Returns a number; of a range, its integers and what is between them.
   *
   * @throws dev.caravan.model.error.ClusterException INVALID_REQUEST if a bound is no integer
   */
  static Node number(JsonNode schema, SchemaPlace place) {
    if (!Keywords.hasAny(schema, Keywords.NUMBER)) {
      return JsonText.NUMBER;
    }
    for (String keyword : Keywords.NUMBER) {
      if (schema.path(keyword).doubleValue() % 1 != 0) {
        throw place
            .at(keyword)
            .refuse("is %s; only whole numbers are supported".formatted(schema.get(keyword)));
      }
    }
    long low =
        (long) Math.max(bound(schema, "minimum", place), bound(schema, "exclusiveMinimum", place));
    long high =
        (long) Math.min(bound(schema, "maximum", place), bound(schema, "exclusiveMaximum", place));
    long most = LARGEST_WITH_FRACTION;
    IntegerRange over = new IntegerRange(Math.max(low, 0), Math.min(high - 1, most));
    IntegerRange under = new IntegerRange(Math.max(-high, 0), Math.min(-low - 1, most));
    return choice(
        integers(schema, place).node(),
        sequence(over.node(), FRACTION_OVER_ZERO),
        sequence(text("-"), under.node(), FRACTION_OVER_ZERO));
  }

  private static IntegerRange integers(JsonNode schema, SchemaPlace place) {
    double first =
        Math.max(
            Math.ceil(bound(schema, "minimum", place)),
            Math.floor(bound(schema, "exclusiveMinimum", place)) + 1);
    double last =
        Math.min(
            Math.floor(bound(schema, "maximum", place)),
            Math.ceil(bound(schema, "exclusiveMaximum", place)) - 1);
    return new IntegerRange(
        Math.max((long) first, -IntegerRange.LARGEST), Math.min((long) last, IntegerRange.LARGEST));
  }

  /** Returns a bound, no further than just outside of all numbers that are ever written. */
  private static double bound(JsonNode schema, String keyword, SchemaPlace place) {
    JsonNode bound = schema.path(keyword);
    if (bound.isMissingNode()) {
      return keyword.endsWith("inimum") ? -OUTSIDE : OUTSIDE;
    }
    if (!bound.isNumber() || !Double.isFinite(bound.doubleValue())) {
      throw place.at(keyword).refuse("is %.40s, not a number".formatted(bound));
    }
    return Math.clamp(bound.doubleValue(), -OUTSIDE, OUTSIDE);
  }
}
